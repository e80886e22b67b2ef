import { describe, expect, it } from 'vitest';
import { readConversation, remainderOf } from '../../src/answer/conversation.ts';
import type { Message } from '../../src/wire/chat-request.ts';

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string): Message => ({ role: 'assistant', content });
const system = (content: string): Message => ({ role: 'system', content });

describe('readConversation', () => {
  it('takes an assistant message at the end for an answer that broke off', () => {
    const { partial, questions, messages } = readConversation([user('Q'), assistant('The eng')]);
    expect({ partial, questions, count: messages.length }).toEqual({
      partial: 'The eng',
      questions: ['Q'],
      count: 1,
    });
  });

  it.each([system, user])('does not take the request to continue for a question or passage', (role) => {
    const request = role('Continue your answer exactly where it stopped.');
    const { partial, questions, instructions } = readConversation([
      system('S'),
      user('Q'),
      assistant('The eng'),
      request,
    ]);
    expect({ partial, questions, instructions }).toEqual({
      partial: 'The eng',
      questions: ['Q'],
      instructions: 'S',
    });
  });

  it('knows a question about continuing from a request to continue', () => {
    const question = 'Can I continue driving exactly as before?';
    const { partial, questions } = readConversation([user('Q'), assistant('A.'), user(question)]);
    expect({ partial, last: questions.at(-1) }).toEqual({ partial: '', last: question });
  });

  it('takes the names off where the prompt says that there are names', () => {
    const names = system('Each message begins with the name of whoever wrote it; be kind.');
    const talk = [user('Ann: Note: brakes'), assistant('Ann: A.'), user('no name')];
    expect(readConversation([names, ...talk]).questions).toEqual(['Note: brakes', 'no name']);
    expect(readConversation([names, ...talk]).messages[2]).toEqual(assistant('Ann: A.'));
    expect(readConversation(talk).questions).toEqual(['Ann: Note: brakes', 'no name']);
  });

  it('has no partial answer when a new question follows', () => {
    const { partial, questions } = readConversation([user('Q'), assistant('A.'), user('And the torque?')]);
    expect({ partial, questions }).toEqual({ partial: '', questions: ['Q', 'And the torque?'] });
  });
});

describe('remainderOf', () => {
  it('is what follows the beginning', () => {
    expect(remainderOf('The engine', 'The eng')).toBe('ine');
    expect(remainderOf('The engine', 'The engine')).toBe('');
  });

  it('is the whole answer after a beginning by someone else', () => {
    expect(remainderOf('The engine', 'Well')).toBe('\n\nThe engine');
  });
});
