/** A model that says what the test tells it to, one script for each call. */
import type { Model, ModelFinish, ModelRequest, ToolCall } from '../../src/model/model.ts';

export type Script = (string | Error | { calls: ToolCall[] } | { do: () => void })[];

export interface FakeModel extends Model {
  requests: ModelRequest[];
}

/** `classify` answers every routing call, `answers` the others in order, the last one for ever. */
export function fakeModel(classify: Script, ...answers: Script[]): FakeModel {
  const requests: ModelRequest[] = [];
  let answered = 0;
  async function ask(request: ModelRequest, hear: (text: string) => void): Promise<ModelFinish> {
    requests.push({ ...request, messages: [...request.messages] });
    const script =
      request.purpose === 'classify' ? classify : answers[Math.min(answered++, answers.length - 1)];
    let toolCalls: ToolCall[] = [];
    for (const part of script ?? []) {
      request.signal.throwIfAborted();
      if (part instanceof Error) throw part;
      if (typeof part === 'string') hear(part);
      else if ('calls' in part) toolCalls = part.calls;
      else part.do();
    }
    const reason = toolCalls.length > 0 ? 'tool_calls' : 'stop';
    return { reason, toolCalls, usage: { inputTokens: 10, outputTokens: 1 }, model: 'fake-1' };
  }
  return { answerTimeoutMs: 60_000, requests, ask };
}
