import { describe, expect, it } from 'vitest';
import { greet, recall } from '../../src/answer/small-talk.ts';

describe('greet', () => {
  it.each(['Hi', 'Hello there!', 'good morning', 'Who are you?', 'What can you help me with?', '@ai hello'])(
    'introduces itself to %j',
    (text) => {
      expect(greet(text)).toContain('I am the demo model');
    },
  );

  it('leaves a greeting with a question in it to the passages', () => {
    expect(greet('Hi, what is the engine power?')).toBeNull();
  });
});

describe('recall', () => {
  const asked = ['What is the engine power?', 'And the torque?'];

  it.each([
    ['What did I ask before?', 'Before this, you asked: "And the torque?"'],
    ['What was my first question?', 'Your first question was: "What is the engine power?"'],
    ['What have I asked so far?', 'You asked:\n- What is the engine power?\n- And the torque?'],
  ])('answers %j from the conversation', (question, answer) => {
    expect(recall([...asked, question])?.split('\n\n(Demo model')[0]).toBe(answer);
  });

  it('says so when there is no earlier question', () => {
    expect(recall(['What did I ask before?'])).toContain('This is your first question');
  });

  it('does not take other questions for it', () => {
    expect(recall([...asked, 'What is the first service?'])).toBeNull();
    expect(recall([...asked, 'What is the first question a mechanic asks?'])).toBeNull();
  });
});
