import { Principal } from '@natter/proto';
import { expect, it } from 'vitest';
import { principalOf } from '../../src/tokens/principal-of.ts';

const BASE = { sub: 'alice', exp: 1_800_000_000 };

it('leaves out an email and a name that do not fit', () => {
  const claims = { ...BASE, email: { a: 1 }, name: 'x'.repeat(257) };
  expect(principalOf(claims)).toMatchObject({ email: null, name: null });
});

it('reads roles from a list, or else from one word', () => {
  expect(principalOf({ ...BASE, roles: ['admin', 'support'] })?.roles).toEqual(['admin', 'support']);
  expect(principalOf({ ...BASE, role: 'admin' })?.roles).toEqual(['admin']);
  expect(principalOf({ ...BASE, roles: [], role: 'admin' })?.roles).toEqual([]);
  expect(principalOf(BASE)?.roles).toEqual([]);
});

it('grants nothing for roles and scopes that do not fit', () => {
  const claims = {
    ...BASE,
    roles: [7, null, '', 'x'.repeat(65), ['admin'], 'user'],
    scope: ' read  write read',
  };
  expect(principalOf(claims)).toMatchObject({ roles: ['user'], scopes: ['read', 'write'] });
});

it('counts the first 16 roles and 64 scopes', () => {
  const many = Array.from({ length: 200 }, (_, index) => `r${index}`);
  const principal = principalOf({ ...BASE, roles: many, scope: many.join(' ') });
  expect(principal?.roles).toEqual(many.slice(0, 16));
  expect(principal?.scopes).toEqual(many.slice(0, 64));
  expect(Principal.safeParse(principal).success).toBe(true);
});

it('cuts the fraction of an expiry', () => {
  expect(principalOf({ ...BASE, exp: 1_800_000_000.9 })?.expiresAt).toBe(1_800_000_000);
});

it('is nobody when the subject is no well-formed text', () => {
  expect(principalOf({ ...BASE, sub: '\ud800' })).toBeNull();
});
