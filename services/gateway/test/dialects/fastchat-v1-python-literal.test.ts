import { describe, expect, it } from 'vitest';
import { parseLiteral } from '../../src/dialects/fastchat-v1/python-literal.ts';

const plain = (value: unknown) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

describe('a Python literal', () => {
  it.each([
    ['{}', {}],
    ['[]', []],
    [' null ', null],
    ['-1.5e3', -1500],
    ["{'a': None, 'b': True, 'c': [False, 1, 'x',],}", { a: null, b: true, c: [false, 1, 'x'] }],
    [`{"it's": "it's", 'say': 'say "hi"'}`, { "it's": "it's", say: 'say "hi"' }],
    ["'it\\'s'", "it's"],
    ["'\\x41\\u00e9\\U0001f527\\n\\\\'", 'A\u00e9\u{1f527}\n\\'],
    ['"\\ud83d\\udd27\\/"', '\u{1f527}/'],
  ])('is read: %s', (text, value) => {
    expect(plain(parseLiteral(text))).toEqual(value);
  });

  it('is read like JSON where it is JSON', () => {
    const value = { a: [1, -2.5, 'x\u2028"\\\b', null, true, { '': {} }], 'b c': false };
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
      expect(plain(parseLiteral(text))).toEqual(value);
    }
  });

  it('keeps a key that is called like the prototype, and nothing inherits from it', () => {
    const value = parseLiteral("{'__proto__': {'protocol': 'stdio'}}") as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(value.protocol).toBeUndefined();
  });

  it.each([
    '',
    '{',
    "{'a'}",
    "{'a': 1 'b': 2}",
    '{,}',
    '{1: 2}',
    "'open",
    '"mixed\'',
    "'\\q'",
    "'\\U00110000'",
    "'a\nb'",
    'none',
    '1 2',
    '{} x',
    "__import__('os')",
    '(1, 2)',
    '['.repeat(10_000),
    `${'['.repeat(18)}${']'.repeat(18)}`,
    `"${'x'.repeat(65_536)}"`,
  ])('is none: %#', (text) => {
    expect(parseLiteral(text)).toBeUndefined();
  });
});
