/** Server-sent events of a chat completion, as OpenAI's API words them. */

export class Chunks {
  readonly #before: string;
  readonly #after: string;

  constructor() {
    const [before, after] = event([
      { index: 0, delta: { content: '@' }, logprobs: null, finish_reason: null },
    ]).split('@');
    this.#before = before as string;
    this.#after = after as string;
  }

  /** One chunk with a text. */
  text(text: string): string {
    return this.#before + JSON.stringify(text).slice(1, -1) + this.#after;
  }

  /** The end: the reason, the token count, `[DONE]`. */
  tail(tokens: number): string {
    const usage = { prompt_tokens: 100, completion_tokens: tokens, total_tokens: 100 + tokens };
    return [
      event([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }]),
      event([], usage),
      'data: [DONE]\n\n',
    ].join('');
  }
}

function event(choices: unknown[], usage: unknown = null): string {
  const chunk = {
    id: 'chatcmpl-BenchBenchBenchBenchBench',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'bench',
    service_tier: 'default',
    system_fingerprint: 'fp_bench',
    choices,
    usage,
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
