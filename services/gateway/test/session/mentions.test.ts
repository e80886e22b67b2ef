import { describe, expect, it } from 'vitest';
import { mentionsAi } from '../../src/session/mentions.ts';

describe('a message mentions the AI', () => {
  it.each([
    '@ai',
    '@AI what now?',
    'hey @assistant, help',
    'hey @Assistant!',
    '(@ai)',
    'was meinst du,@ai?',
    'línea\n@ai',
    '„@ai“',
    '🚗@ai🚗',
    '@ai-driven ideas?',
  ])('in %j', (text) => {
    expect(mentionsAi(text)).toBe(true);
  });
});

describe('a message does not mention it', () => {
  it.each([
    '',
    'ai',
    '@aim',
    '@aï',
    '@aié',
    '@ai2',
    '@ai_bot',
    '@assistants',
    'mail bob@ai.example',
    'bob@assistant.org',
    'é@ai',
    '日@ai',
    '7@ai',
    'a_@ai',
    '@@ai',
    '@ ai',
    `@${'a'.repeat(16_000)}`,
  ])('in %j', (text) => {
    expect(mentionsAi(text)).toBe(false);
  });
});
