import OpenAI from 'openai';
import { describe, expect, it, vi } from 'vitest';
import { readAll, runModel } from './running-model.ts';

const ask = (content = 'one two three four five six') => ({
  model: 'natter-demo',
  messages: [{ role: 'user' as const, content }],
});
const streamed = (content?: string) => ({ ...ask(content), stream: true as const });

async function textUntilError(stream: AsyncIterable<OpenAI.ChatCompletionChunk>) {
  let text = '';
  try {
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
  } catch (error) {
    return { text, error };
  }
  return { text, error: null };
}

describe('faults', () => {
  it('answers with a status as often as told, and the client comes through by retrying', async () => {
    const { client, model } = await runModel({
      faults: { kind: 'status', status: 429, retryAfter: 0, times: 1 },
    });
    await expect(client.chat.completions.create(ask())).rejects.toMatchObject({
      status: 429,
      code: 'rate_limit_exceeded',
      type: 'rate_limit_error',
    });
    model.setBehaviour({ fault: { kind: 'status', status: 500, times: 1 } });
    const retried = await client.withOptions({ maxRetries: 1 }).chat.completions.create(ask());
    expect(retried.choices).toHaveLength(1);
    expect(model.requests.map(({ outcome }) => outcome)).toEqual(['faulted', 'faulted', 'completed']);
  });

  it('hangs until the client gives up', async () => {
    const { client, model } = await runModel({ faults: { kind: 'hang' } });
    const patience = new AbortController();
    const asked = client.chat.completions.create(streamed(), { signal: patience.signal });
    await vi.waitFor(() => expect(model.requests).toHaveLength(1));
    expect(model.requests[0]?.outcome).toBe('open');
    patience.abort();
    await expect(asked).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
    await vi.waitFor(() => expect(model.requests[0]?.outcome).toBe('aborted'));
  });

  it('cuts a stream after some tokens, all of which arrive', async () => {
    const { client, model } = await runModel({ faults: { kind: 'cut', afterTokens: 3 } });
    model.setBehaviour({ answer: 'echo' });
    const { text, error } = await textUntilError(await client.chat.completions.create(streamed()));
    expect(text).toBe('Echo: one two');
    expect(error).toBeInstanceOf(Error);
    expect(model.requests[0]).toMatchObject({ outcome: 'faulted', tokens: 3 });
  });

  it('sends an event that is not JSON', async () => {
    const { client, model } = await runModel({ faults: { kind: 'garbage', afterTokens: 2 } });
    model.setBehaviour({ answer: 'echo' });
    const { text, error } = await textUntilError(await client.chat.completions.create(streamed()));
    expect(text).toBe('Echo: one');
    expect(error).toBeInstanceOf(SyntaxError);
  });

  it('is slow only for the requests that match', async () => {
    const { client, model } = await runModel({
      faults: { kind: 'slow', firstTokenMs: 60_000, matching: 'slowly' },
    });
    const slow = await client.chat.completions.create(streamed('answer slowly'));
    const quick = await readAll(await client.chat.completions.create(streamed('answer')));
    expect(quick.finishReason).toBe('stop');
    expect(model.requests.map(({ outcome, tokens }) => [outcome, tokens > 0])).toEqual([
      ['open', false],
      ['completed', true],
    ]);
    slow.controller.abort();
  });
});

describe('a client that goes away', () => {
  it('ends its stream', async () => {
    const { client, model } = await runModel({ tokensPerSecond: 1_000 });
    model.setBehaviour({ script: 'word '.repeat(100_000) });
    const stream = await client.chat.completions.create(streamed());
    for await (const _chunk of stream) break;
    await vi.waitFor(() => expect(model.requests[0]?.outcome).toBe('aborted'));
    expect(model.requests[0]?.tokens).toBeLessThan(100_000);
  });
});
