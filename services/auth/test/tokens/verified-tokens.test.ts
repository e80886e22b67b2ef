import { expect, it } from 'vitest';
import { VerifiedTokens } from '../../src/tokens/verified-tokens.ts';

const principal = (sub: string) => ({ sub, email: null, name: null, roles: [], scopes: [], expiresAt: 100 });

it('keeps no more than its limit and drops the one unused longest', () => {
  const tokens = new VerifiedTokens(2);
  tokens.put('a', principal('a'), 100);
  tokens.put('b', principal('b'), 100);
  tokens.get('a', 0);
  tokens.put('c', principal('c'), 100);
  expect(tokens.size).toBe(2);
  expect(tokens.get('a', 0)?.sub).toBe('a');
  expect(tokens.get('b', 0)).toBeNull();
  expect(tokens.get('c', 0)?.sub).toBe('c');
});

it('forgets a token at its time', () => {
  const tokens = new VerifiedTokens(2);
  tokens.put('a', principal('a'), 100);
  expect(tokens.get('a', 99.9)).not.toBeNull();
  expect(tokens.get('a', 100)).toBeNull();
  expect(tokens.size).toBe(0);
});

it('makes no room for a token that it has already', () => {
  const tokens = new VerifiedTokens(2);
  for (const key of ['a', 'b', 'b', 'b']) tokens.put(key, principal(key), 100);
  expect(tokens.get('a', 0)).not.toBeNull();
});

it('remembers nothing with a limit of 0', () => {
  const tokens = new VerifiedTokens(0);
  tokens.put('a', principal('a'), 100);
  expect(tokens.get('a', 0)).toBeNull();
});

it('keeps a digest, not the token', () => {
  expect(new VerifiedTokens(1).keyOf('token', 'access')).toMatch(/^[\w-]{43}$/);
});
