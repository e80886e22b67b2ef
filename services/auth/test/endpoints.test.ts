import { ApiKeysReply, JwksReply, LoginReply, SUBJECTS, VerifyManyReply, VerifyReply } from '@natter/proto';
import { BusError, type BusMessage, Metrics } from '@natter/runtime';
import { decodeJwt } from 'jose';
import { expect, it } from 'vitest';
import { ApiKeyVerifier } from '../src/api-keys/api-key-verifier.ts';
import { ApiKeys } from '../src/api-keys/api-keys.ts';
import { authEndpoints } from '../src/endpoints.ts';
import { Rooms } from '../src/rooms/rooms.ts';
import { loadTokens } from '../src/tokens/load-tokens.ts';
import { knownApiKeys } from './api-keys/known-api-keys.ts';
import { configOf, LOG, temporaryFolder } from './forge.ts';

async function service(env: Record<string, string> = {}) {
  const config = configOf({ NATTER_DATA_DIR: temporaryFolder(), ...env });
  const metrics = new Metrics('auth');
  const stores = { open: () => Promise.reject(new BusError('UNAVAILABLE', 'no broker here')) };
  const rooms = new Rooms({ log: LOG });
  const tokens = await loadTokens(config, LOG);
  const { store } = knownApiKeys(Date.now);
  const apiKeys = new ApiKeys({ store, log: LOG });
  const uses = tokens.usesWith(new ApiKeyVerifier({ store, environmentKey: null }));
  const endpoints = authEndpoints({ ...tokens, uses, config, rooms, stores, apiKeys, metrics, log: LOG });
  const ask = async (subject: string, body: unknown): Promise<unknown> => {
    const endpoint = endpoints.find((candidate) => candidate.subject === subject);
    const data = body instanceof Uint8Array ? body : new TextEncoder().encode(JSON.stringify(body));
    const request: BusMessage = { subject, data, header: () => undefined, respond: () => undefined };
    return JSON.parse(String(await endpoint?.handle(request)));
  };
  return { ask, metrics };
}

it.each([
  ['no JSON', new TextEncoder().encode('{')],
  ['no UTF-8', new Uint8Array([0xff, 0xfe, 0x22])],
  ['nothing', new Uint8Array()],
  ['no object', ['token']],
  ['no token', {}],
  ['an empty token', { token: '' }],
  ['a token that is a number', { token: 7 }],
  ['a token longer than any', { token: 'x'.repeat(4_097) }],
  ['a megabyte', { token: 'x', pad: 'x'.repeat(1_000_000) }],
])('answers invalid to a verify request with %s', async (_what, body) => {
  const { ask } = await service();
  expect(VerifyReply.parse(await ask(SUBJECTS.authVerify, body))).toEqual({ ok: false, reason: 'invalid' });
});

it('counts verifications by their result', async () => {
  const { ask, metrics } = await service();
  await ask(SUBJECTS.authVerify, { token: 'x' });
  expect(await metrics.expose()).toMatch(
    /natter_auth_verifications_total\{result="invalid",service="auth"\} 1/,
  );
});

it('refuses every login where the development login is off', async () => {
  const { ask } = await service();
  expect(await ask(SUBJECTS.authLogin, { sub: 'alice' })).toEqual({ ok: false, reason: 'disabled' });
});

it('gives any name a token that verifies, without roles', async () => {
  const { ask } = await service({ NATTER_DEV_LOGIN: 'true' });
  const asked = { sub: 'alice', name: 'Alice', email: 'a@example.com', roles: ['admin'], role: 'admin' };
  const reply = LoginReply.parse(await ask(SUBJECTS.authLogin, asked));
  if (!reply.ok) throw new Error(reply.reason);
  expect(decodeJwt(reply.token)).not.toHaveProperty('roles');
  expect(VerifyReply.parse(await ask(SUBJECTS.authVerify, { token: reply.token }))).toEqual({
    ok: true,
    principal: {
      sub: 'alice',
      name: 'Alice',
      email: 'a@example.com',
      roles: [],
      scopes: [],
      expiresAt: reply.expiresAt,
    },
  });
});

it.each([
  ['no name', {}],
  ['an empty name', { sub: '' }],
  ['a name of 129 bytes', { sub: `${'ü'.repeat(64)}a` }],
  ['a name that is no text', { sub: { $gt: '' } }],
  ['claims too long for a token', { sub: 'a', name: '\0'.repeat(256), email: '\0'.repeat(320) }],
])('refuses a login with %s', async (_what, body) => {
  const { ask } = await service({ NATTER_DEV_LOGIN: 'true' });
  expect(await ask(SUBJECTS.authLogin, body)).toEqual({ ok: false, reason: 'invalid' });
});

it('publishes its public key and nothing private', async () => {
  const { ask } = await service({ NATTER_JWT_SECRET: 'a secret of at least thirty-two bytes' });
  const { keys } = JwksReply.parse(await ask(SUBJECTS.authJwks, {}));
  expect(keys).toHaveLength(1);
  expect(Object.keys(keys[0] ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
});

it('makes, judges and revokes API keys, and counts what was asked', async () => {
  const { ask, metrics } = await service();
  const asked = { op: 'create', name: 'ci', scopes: ['logs:read'] };
  const made = ApiKeysReply.parse(await ask(SUBJECTS.authApiKeys, asked));
  if (!made.ok) throw new Error(made.reason);
  const verify = async () =>
    VerifyReply.parse(await ask(SUBJECTS.authVerify, { token: made.key, use: 'api_key' }));
  expect(await verify()).toMatchObject({ ok: true, principal: { name: 'ci', scopes: ['logs:read'] } });
  expect(await ask(SUBJECTS.authApiKeys, { op: 'revoke', id: made.keys[0]?.id })).toMatchObject({ ok: true });
  expect(await verify()).toEqual({ ok: false, reason: 'invalid' });
  const text = await metrics.expose();
  for (const op of ['create', 'revoke'])
    expect(text).toContain(`natter_auth_api_key_requests_total{op="${op}",result="ok",service="auth"} 1`);
});

it('judges many tokens at once, each by itself, and counts them', async () => {
  const { ask, metrics } = await service({ NATTER_DEV_LOGIN: 'true' });
  const login = LoginReply.parse(await ask(SUBJECTS.authLogin, { sub: 'alice' }));
  if (!login.ok) throw new Error(login.reason);
  const asks = [{ token: 'x' }, { token: login.token }, { token: login.token, use: 'master' }];
  const { replies } = VerifyManyReply.parse(await ask(SUBJECTS.authVerifyMany, { asks }));
  expect(replies.map((reply) => (reply.ok ? reply.principal.sub : reply.reason))).toEqual([
    'invalid',
    'alice',
    'invalid',
  ]);
  const text = await metrics.expose();
  expect(text).toContain('natter_auth_verifications_total{result="ok",service="auth"} 1');
  expect(text).toContain('natter_auth_verifications_total{result="invalid",service="auth"} 2');
});

it.each([
  ['no JSON', new TextEncoder().encode('{')],
  ['no tokens', { asks: [] }],
  ['65 tokens', { asks: Array.from({ length: 65 }, () => ({ token: 'x' })) }],
  ['a token that is none', { asks: [{ token: 'x' }, { token: 7 }] }],
])('answers nothing to a request about many tokens with %s', async (_what, body) => {
  const { ask } = await service();
  expect(await ask(SUBJECTS.authVerifyMany, body)).toEqual({ replies: [] });
});

it('judges a token also when nobody can tell about the rooms it came with', async () => {
  const { ask } = await service({ NATTER_DEV_LOGIN: 'true' });
  const login = LoginReply.parse(await ask(SUBJECTS.authLogin, { sub: 'alice' }));
  if (!login.ok) throw new Error(login.reason);
  const reply = VerifyReply.parse(await ask(SUBJECTS.authVerify, { token: login.token, rooms: ['=r=1'] }));
  expect(reply).toMatchObject({ ok: true, principal: { sub: 'alice' } });
  expect(reply).not.toHaveProperty('rooms');
});
