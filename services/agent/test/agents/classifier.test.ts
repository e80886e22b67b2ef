import { describe, expect, it } from 'vitest';
import { readReply } from '../../src/agents/classifier.ts';

describe('readReply', () => {
  it.each<[string, string | null]>([
    ['{"agent":"specs"}', 'specs'],
    ['```json\n{"agent": "specs"}\n```', 'specs'],
    [' specs\n', 'specs'],
    ['{"agent":"other"}', null],
    ['{"agent":7}', null],
    ['{agent:specs}', null],
    ['I think specs', null],
    ['toString', null],
    ['', null],
  ])('reads %j as %s', (reply, expected) => {
    expect(readReply(reply, ['care', 'specs'])).toBe(expected);
  });
});
