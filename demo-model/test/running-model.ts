/** A demo model on a free port with the official client, closed after each test. */
import OpenAI from 'openai';
import { afterEach } from 'vitest';
import { type DemoModel, type DemoModelOptions, startDemoModel } from '../src/app.ts';

const running: DemoModel[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((model) => model.close()));
});

export async function runModel(options: Partial<DemoModelOptions> = {}) {
  const model = await startDemoModel({ host: '127.0.0.1', port: 0, tokensPerSecond: 0, ...options });
  running.push(model);
  const client = new OpenAI({ baseURL: model.url, apiKey: 'none', maxRetries: 0, logLevel: 'off' });
  const root = model.url.replace('/v1', '');
  return { model, client, root };
}

/** Reads a stream to its end: its text, chunks, finish reason and usage. */
export async function readAll(stream: AsyncIterable<OpenAI.ChatCompletionChunk>) {
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const choices = chunks.flatMap((chunk) => chunk.choices);
  return {
    chunks,
    text: choices.map((choice) => choice.delta.content ?? '').join(''),
    finishReason: choices.at(-1)?.finish_reason,
    usage: chunks.at(-1)?.usage,
  };
}
