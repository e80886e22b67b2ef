import * as crypto from 'node:crypto';
import { BusError } from '@natter/runtime';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { newApiKey } from '../../src/api-keys/api-key-text.ts';
import { ApiKeyVerifier } from '../../src/api-keys/api-key-verifier.ts';
import { LOGS_KEY, wireTokens } from '../wire-tokens.ts';
import { knownApiKeys } from './known-api-keys.ts';

vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof import('node:crypto')>();
  return { ...actual, timingSafeEqual: vi.fn(actual.timingSafeEqual) };
});
afterEach(() => void vi.mocked(crypto.timingSafeEqual).mockClear());

describe('a good key', () => {
  it('stands for itself, with its scopes and no role, for as long as anybody may ask', async () => {
    const { uses, apiKeys } = await wireTokens();
    const { id, key } = apiKeys.make(['logs:read']);
    expect(await uses.verify(key, 'api_key')).toEqual({
      ok: true,
      principal: {
        sub: `natter:key:${id}`,
        email: null,
        name: 'key 0',
        roles: [],
        scopes: ['logs:read'],
        expiresAt: Date.parse('9999-12-31T23:59:59Z') / 1000,
      },
    });
  });

  it('with the scope admin is an admin, and has every scope', async () => {
    const { uses, apiKeys } = await wireTokens();
    expect(await uses.verify(apiKeys.make(['admin']).key, 'api_key')).toMatchObject({
      principal: { roles: ['admin'], scopes: ['logs:read', 'logs:write', 'admin'] },
    });
  });

  it('[apikeys/environment] of LOGS_API_KEY may read and write logs, and needs no store', async () => {
    const { uses, apiKeys } = await wireTokens();
    apiKeys.failure = new BusError('UNAVAILABLE', 'no broker here');
    expect(await uses.verify(LOGS_KEY, 'api_key')).toMatchObject({
      ok: true,
      principal: { sub: 'natter:key:environment', roles: [], scopes: ['logs:read', 'logs:write'] },
    });
  });

  it('[apikeys/expiry] is good until it expires, and is said to have expired only to whoever has it', async () => {
    const { judge, apiKeys, time } = await wireTokens();
    const { id, key } = apiKeys.make(['logs:read'], time.now() + 1_000);
    time.advance(999);
    expect(await judge(key, 'api_key')).toBe(`natter:key:${id}`);
    time.advance(1);
    expect(await judge(key, 'api_key')).toBe('expired');
    expect(await judge(`nk_${id}_${newApiKey().key.slice(-43)}`, 'api_key')).toBe('invalid');
  });
});

const { id: ID, key: KEY } = newApiKey();

it.each([
  ['another secret under its id', `nk_${ID}_${newApiKey().key.slice(-43)}`],
  ['its secret under another id', KEY.replace(ID, newApiKey().id)],
  ['a part of it', KEY.slice(0, -1)],
  ['it and more', `${KEY}A`],
  ['it and a line break', `${KEY}\n`],
  ['it in another case', KEY.toUpperCase()],
  ['no secret', `nk_${ID}_`],
  ['only the prefix', 'nk_'],
  ['an id with a wildcard', `nk_*_${'A'.repeat(43)}`],
  ['an id of another subject', `nk_a.b_${'A'.repeat(43)}`],
  ['nothing', ''],
  ['a part of LOGS_API_KEY', LOGS_KEY.slice(0, -1)],
  ['LOGS_API_KEY and more', `${LOGS_KEY} `],
])('no other key is good: %s', async (_what, text) => {
  const { judge, apiKeys } = await wireTokens();
  apiKeys.records.set(ID, {
    info: { id: ID, name: 'ci', scopes: ['logs:read'], createdAt: 0, expiresAt: null },
    sha256: crypto.hash('sha256', KEY, 'hex'),
  });
  expect(await judge(KEY, 'api_key')).toBe(`natter:key:${ID}`);
  expect(await judge(text, 'api_key')).toBe('invalid');
});

it('a text that can be no key is refused without asking the store', async () => {
  const { judge, apiKeys } = await wireTokens();
  apiKeys.failure = new BusError('UNAVAILABLE', 'nobody must ask');
  expect(await judge('nk_short', 'api_key')).toBe('invalid');
});

it('nobody can tell while the store is away', async () => {
  const { judge, apiKeys } = await wireTokens();
  const { id, key } = apiKeys.make();
  apiKeys.failure = new BusError('UNAVAILABLE', 'no broker here');
  expect(await judge(key, 'api_key')).toBe('unavailable');
  apiKeys.failure = null;
  expect(await judge(key, 'api_key')).toBe(`natter:key:${id}`);
});

it('a record that cannot be read permits nothing', async () => {
  const { judge, apiKeys } = await wireTokens();
  const { id, key } = apiKeys.make(['admin']);
  apiKeys.records.set(id, null);
  expect(await judge(key, 'api_key')).toBe('invalid');
});

it('right and wrong secrets are compared in constant time, over their whole length', async () => {
  const known = knownApiKeys(Date.now);
  const { id, key } = known.make();
  const verifier = new ApiKeyVerifier({ store: known.store, environmentKey: null });
  await verifier.principal(key);
  await expect(verifier.principal(`nk_${id}_${'A'.repeat(43)}`)).rejects.toMatchObject({ code: 'invalid' });
  const compared = vi.mocked(crypto.timingSafeEqual).mock.calls;
  expect(compared).toHaveLength(2);
  for (const pair of compared) expect(pair.map(({ byteLength }) => byteLength)).toEqual([64, 64]);
});

it('with a store that hangs only so many are asked at once, and more than can wait are turned away', async () => {
  const known = knownApiKeys(Date.now);
  const { key } = known.make();
  let asked = 0;
  const { promise, resolve } = Promise.withResolvers<null>();
  const get = () => {
    asked += 1;
    return promise;
  };
  const verifier = new ApiKeyVerifier({ store: { get }, environmentKey: null, now: () => 0 });
  const verdicts = Array.from({ length: 577 }, () =>
    verifier.principal(key).catch((error: { code: string }) => error.code),
  );
  // 64 are asked, 512 wait.
  expect(await verdicts.at(-1)).toBe('unavailable');
  expect(asked).toBe(64);
  resolve(null);
  expect((await Promise.all(verdicts)).filter((code) => code === 'invalid')).toHaveLength(576);
});
