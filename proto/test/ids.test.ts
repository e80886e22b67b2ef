import { describe, expect, it } from 'vitest';
import { conversationKey, customerKey, decodeToken, encodeToken, isClientId } from '../src/index.ts';

const HOSTILE = [
  '>',
  '*',
  'a.b',
  '$JS.API.>',
  '__proto__',
  ' ',
  'a b',
  '\u0000',
  '\r\nPUB x',
  '\u{1f527}',
  'ä',
  '=',
  '_',
  '_3e',
  'a=b',
];

describe('encodeToken', () => {
  it.each(HOSTILE)('makes one safe subject token of %j', (id) => {
    expect(encodeToken(id)).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  it('gives no two ids the same token', () => {
    const ids = [...HOSTILE, ...HOSTILE.map((id) => encodeToken(id)), 'a', 'A', '-', '--'];
    const different = new Set(ids);
    expect(new Set([...different].map(encodeToken)).size).toBe(different.size);
  });
});

describe('decodeToken', () => {
  it.each(HOSTILE)('gives back %j', (id) => expect(decodeToken(encodeToken(id))).toBe(id));

  it.each(['_67ateway', '_41', 'a_2d', '_ff', '_', '_3E', 'a.b', ''])(
    'gives nothing for %j, which no id is encoded as',
    (token) => expect(decodeToken(token)).toBeNull(),
  );
});

describe('isClientId', () => {
  it('takes 1 to 128 bytes of well-formed text', () => {
    expect(isClientId('a'.repeat(128))).toBe(true);
    expect(isClientId('ä'.repeat(64))).toBe(true);
    expect(isClientId('')).toBe(false);
    expect(isClientId('a'.repeat(129))).toBe(false);
    expect(isClientId('ä'.repeat(65))).toBe(false);
    expect(isClientId('\ud83d')).toBe(false);
  });
});

describe('keys of what a user owns', () => {
  it('keep owner and name apart, whatever they hold', () => {
    const keys = HOSTILE.flatMap((owner) => HOSTILE.map((name) => conversationKey(owner, name)));
    expect(new Set(keys).size).toBe(HOSTILE.length ** 2);
  });

  it('give two users who name the same customer two customers', () => {
    expect(customerKey('alice', 'c-1')).not.toBe(customerKey('bob', 'c-1'));
  });
});
