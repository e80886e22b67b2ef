/** The bodies and stream chunks of a chat completion, exactly as OpenAI's API sends them. */
import type { Reply } from '../answer/answer.ts';
import { countTokens, splitTokens } from './tokens.ts';

export type FinishReason = 'stop' | 'tool_calls' | 'length';

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

export interface CompletionHead {
  /** `chatcmpl-…` */
  id: string;
  /** Seconds since 1970. */
  created: number;
  model: string;
}

/** A stream's events, each made when it is its turn, so that long answers don't fill memory. */
export interface StreamFrames {
  /** Tokens in `frame`. */
  count: number;
  /** Before the first token: the chunk with the role. */
  head: string;
  frame(index: number): string;
  /** After the last: finish reason, usage where asked for, `[DONE]`. */
  tail: string;
}

type Delta = Record<string, unknown>;
export const sseEvent = (data: string) => `data: ${data}\n\n`;

/** A reply in tokens, cut to `maxTokens`; tool calls are never cut. */
export class Completion {
  readonly #head: CompletionHead;
  readonly #reply: Reply;
  readonly #pieces: string[];
  readonly #finishReason: FinishReason;
  readonly #usage: Usage;

  constructor(head: CompletionHead, reply: Reply, promptTokens: number, maxTokens: number) {
    this.#head = head;
    this.#reply = reply;
    const all = splitTokens(reply.kind === 'text' ? reply.text : reply.arguments);
    const cut = reply.kind === 'text' && all.length > maxTokens;
    this.#pieces = cut ? all.slice(0, maxTokens) : all;
    this.#finishReason = cut ? 'length' : reply.kind === 'text' ? 'stop' : 'tool_calls';
    const tokens = this.#pieces.length + (reply.kind === 'tool-call' ? countTokens(reply.name) : 0);
    this.#usage = {
      prompt_tokens: promptTokens,
      completion_tokens: tokens,
      total_tokens: promptTokens + tokens,
    };
  }

  get tokens(): number {
    return this.#pieces.length;
  }

  /** The body of a request without `stream`. */
  body(): unknown {
    const reply = this.#reply;
    const message =
      reply.kind === 'text'
        ? { role: 'assistant', content: this.#pieces.join(''), refusal: null }
        : {
            role: 'assistant',
            content: null,
            refusal: null,
            tool_calls: [
              { id: reply.id, type: 'function', function: { name: reply.name, arguments: reply.arguments } },
            ],
          };
    return {
      id: this.#head.id,
      object: 'chat.completion',
      created: this.#head.created,
      model: this.#head.model,
      choices: [{ index: 0, message, logprobs: null, finish_reason: this.#finishReason }],
      usage: this.#usage,
      system_fingerprint: 'fp_demo',
    };
  }

  frames(includeUsage: boolean): StreamFrames {
    const usage = includeUsage ? { usage: null } : {};
    const choice = (delta: Delta, finish: FinishReason | null = null) =>
      this.#chunk([{ index: 0, delta, logprobs: null, finish_reason: finish }], usage);
    const reply = this.#reply;
    const head =
      reply.kind === 'text'
        ? { content: '', refusal: null }
        : {
            content: null,
            tool_calls: [
              { index: 0, id: reply.id, type: 'function', function: { name: reply.name, arguments: '' } },
            ],
          };
    const delta = (piece: string): Delta =>
      reply.kind === 'text'
        ? { content: piece }
        : { tool_calls: [{ index: 0, function: { arguments: piece } }] };
    return {
      count: this.#pieces.length,
      head: choice({ role: 'assistant', ...head }),
      frame: (index) => choice(delta(this.#pieces[index] ?? '')),
      tail: [
        choice({}, this.#finishReason),
        includeUsage ? this.#chunk([], { usage: this.#usage }) : '',
        sseEvent('[DONE]'),
      ].join(''),
    };
  }

  #chunk(choices: unknown[], extra: object): string {
    return sseEvent(
      JSON.stringify({
        id: this.#head.id,
        object: 'chat.completion.chunk',
        created: this.#head.created,
        model: this.#head.model,
        system_fingerprint: 'fp_demo',
        choices,
        ...extra,
      }),
    );
  }
}
