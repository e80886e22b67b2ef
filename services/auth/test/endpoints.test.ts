import { JwksReply, LoginReply, SUBJECTS, VerifyReply } from '@natter/proto';
import { BusError, type BusMessage, Metrics } from '@natter/runtime';
import { decodeJwt } from 'jose';
import { expect, it } from 'vitest';
import { authEndpoints } from '../src/endpoints.ts';
import { Rooms } from '../src/rooms/rooms.ts';
import { loadTokens } from '../src/tokens/load-tokens.ts';
import { configOf, LOG, temporaryFolder } from './forge.ts';

async function service(env: Record<string, string> = {}) {
  const config = configOf({ NATTER_DATA_DIR: temporaryFolder(), ...env });
  const metrics = new Metrics('auth');
  const stores = { open: () => Promise.reject(new BusError('UNAVAILABLE', 'no broker here')) };
  const rooms = new Rooms({ log: LOG });
  const tokens = await loadTokens(config, LOG);
  const endpoints = authEndpoints({ ...tokens, config, rooms, stores, metrics, log: LOG });
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
