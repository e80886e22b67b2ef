import { describe, expect, it } from 'vitest';
import { decodeChatRequest } from '../../src/wire/chat-request.ts';

const user = { role: 'user', content: 'Hi' };
const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } };
const decode = (extra: object) => decodeChatRequest({ model: 'm', messages: [user], ...extra });

describe('decodeChatRequest', () => {
  it('reads content in parts as one text and ignores fields it does not know', () => {
    const content = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    const request = decode({ messages: [{ role: 'user', content }], temperature: 0.2 });
    expect(request.messages[0]?.content).toBe('ab');
  });

  it.each([
    ['model', { model: '' }],
    ['messages', { messages: [] }],
    ['messages[0].role', { messages: [{ role: 'robot', content: '' }] }],
    ['messages[0].content', { messages: [{ role: 'user' }] }],
    ['max_tokens', { max_tokens: 0 }],
    ['n', { n: 2 }],
    ['tools[0].function.name', { tools: [{ type: 'function', function: { name: 'no spaces' } }] }],
    ['response_format.type', { response_format: { type: 'xml' } }],
  ])('names %s when it is wrong', (param, extra) => {
    expect(() => decode(extra)).toThrowError(
      expect.objectContaining({ details: expect.objectContaining({ status: 400, param }) }),
    );
  });

  it.each([
    ['a result without a call', [user, { role: 'tool', content: '', tool_call_id: 'c1' }]],
    ['a call without a result', [user, { role: 'assistant', tool_calls: [call] }]],
    ['a question between call and result', [{ role: 'assistant', tool_calls: [call] }, user]],
  ])('refuses %s, as OpenAI does', (_name, messages) => {
    expect(() => decode({ messages })).toThrowError(expect.objectContaining({ code: 'invalid_value' }));
  });
});
