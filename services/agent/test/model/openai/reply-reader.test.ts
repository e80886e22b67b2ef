import { describe, expect, it } from 'vitest';
import { ReplyReader } from '../../../src/model/openai/reply-reader.ts';
import { delta } from './scripted-server.ts';

function read(...chunks: unknown[]): ReplyReader {
  const reader = new ReplyReader('configured');
  for (const chunk of chunks) reader.take(chunk);
  return reader;
}

const call = (fields: object) => delta({ tool_calls: [fields] });

describe('ReplyReader', () => {
  it('has not started while only roles and empty texts arrive', () => {
    expect(read(delta({ role: 'assistant', content: '' }), delta({}), { choices: [] }).started).toBe(false);
  });

  it('passes a refusal on as what the model says', () => {
    expect(new ReplyReader('m').take(delta({ refusal: 'No.' }))).toBe('No.');
  });

  it('takes calls of servers that number nothing', () => {
    const reader = read(
      call({ id: 'a', function: { name: 'one', arguments: '{' } }),
      call({ function: { arguments: '}' } }),
      call({ id: 'b', function: { name: 'two', arguments: '{}' } }),
      delta({}, 'tool_calls'),
    );
    expect(reader.finish().toolCalls).toEqual([
      { id: 'a', tool: 'one', arguments: '{}' },
      { id: 'b', tool: 'two', arguments: '{}' },
    ]);
  });

  it('gives a call without an id one of its own', () => {
    const reader = read(call({ index: 0, function: { name: 'one' } }), delta({}, 'tool_calls'));
    expect(reader.finish().toolCalls[0]?.id).toBe('call_0');
  });

  it.each([
    ['a call that names no tool', () => read(call({ index: 0, id: 'a' }), delta({}, 'tool_calls')).finish()],
    ['a call far out of range', () => read(call({ index: 1_000_000, id: 'a' }))],
    ['a negative call', () => read(call({ index: -1, id: 'a' }))],
    ['endless arguments', () => read(call({ index: 0, function: { arguments: 'x'.repeat(32_001) } }))],
    ['text that is a number', () => read(delta({ content: 7 }))],
    ['text that is a list', () => read(delta({ content: ['x'] }))],
    ['choices that are no list', () => read({ choices: { 0: { delta: { content: 'x' } } } })],
    ['choices that are a text', () => read({ choices: 'x' })],
    ['a choice that is null', () => read({ choices: [null] })],
    ['calls that are no list', () => read(delta({ tool_calls: { length: 1 } }))],
    ['a call that is null', () => read(delta({ tool_calls: [null] }))],
    ['a reason that is an object', () => read({ choices: [{ delta: {}, finish_reason: {} }] })],
  ])('refuses %s', (_name, reading) => {
    expect(reading).toThrow(expect.objectContaining({ code: 'BAD_REPLY' }));
  });

  it('ignores a token count that is none', () => {
    const reader = read(
      { choices: [], usage: { prompt_tokens: -1, completion_tokens: 'x' } },
      delta({}, 'stop'),
    );
    expect(reader.finish().usage).toBeNull();
  });

  it('keeps the configured name where the server names no model', () => {
    const chunk = { choices: [{ delta: { content: 'x' }, finish_reason: 'stop' }] };
    expect(read(chunk).finish().model).toBe('configured');
  });
});
