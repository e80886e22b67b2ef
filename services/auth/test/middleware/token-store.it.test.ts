import type { RequestListener } from 'node:http';
import { createLogger } from '@natter/runtime';
import { frozenClock } from '@natter/testkit';
import { expect, it } from 'vitest';
import { TokenStore } from '../../src/middleware/token-store.ts';
import { MASTER, wireTokens } from '../wire-tokens.ts';
import { startTokenDatabase } from './token-database.ts';

const PAIR = { access_token: 'hunter2', refresh_token: 'hunter3' };

async function storeUnderTest() {
  const database = await startTokenDatabase();
  const lines: string[] = [];
  const log = createLogger('test', 'trace', { write: (line) => void lines.push(line) });
  const time = frozenClock();
  const store = new TokenStore({ path: database.path, headers: { 'api-key': 'hunter4' } }, log, time.now);
  /** `ok`, or the code with which a token is refused. */
  const check = (clientId: string, token: string) =>
    store.check(clientId, token).then(
      () => 'ok',
      (error: { code: string }) => error.code,
    );
  return { database, store, check, time, lines };
}

it('accepts the token that the store has for the client, and no other', async () => {
  const { database, check } = await storeUnderTest();
  database.tokens.set('shop & co', PAIR);
  expect(await check('shop & co', 'hunter2')).toBe('ok');
  expect(database.requests).toEqual(['GET /db/token?client_id=shop%20%26%20co hunter4']);
  for (const token of ['hunter3', 'hunter', 'hunter22', ''])
    expect(await check('shop & co', token)).toBe('invalid');
  expect(await check('somebody', 'hunter2')).toBe('invalid');
});

const answer =
  (status: number, body: string, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body);
const good = JSON.stringify({ data: PAIR });

it.each<[string, string, RequestListener]>([
  ['has no token', 'invalid', answer(200, '{"data":{}}')],
  ['has null', 'invalid', answer(200, '{"data":{"access_token":null}}')],
  ['has no data', 'invalid', answer(200, '{"data":null}')],
  ['fails', 'unavailable', answer(500, good)],
  ['refuses our headers', 'unavailable', answer(401, good)],
  ['answers with another success', 'unavailable', answer(206, good)],
  ['sends us elsewhere', 'unavailable', answer(302, good, { location: '/db/token' })],
  ['sends no JSON', 'unavailable', answer(200, 'hunter2')],
  ['sends JSON of another shape', 'unavailable', answer(200, '{"access_token":"hunter2"}')],
  ['sends a token that is a number', 'unavailable', answer(200, '{"data":{"access_token":2}}')],
  ['sends no UTF-8', 'unavailable', (_request, response) => void response.end(Buffer.from([0xff]))],
  ['sends too much', 'unavailable', answer(200, JSON.stringify({ data: PAIR, pad: 'x'.repeat(70_000) }))],
  ['breaks off', 'unavailable', (request) => void request.socket.destroy()],
  [
    'stops in the middle',
    'unavailable',
    (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"data":', () => response.destroy());
    },
  ],
])('fails closed when the store %s: %s', async (_what, code, listener) => {
  const { database, check, lines } = await storeUnderTest();
  database.answerWith(listener);
  expect(await check('shop', 'hunter2')).toBe(code);
  expect(lines.join('')).not.toMatch(/hunter/);
});

it('fails closed when the store is down or answers too late', async () => {
  const { database, check } = await storeUnderTest();
  database.answerWith(() => undefined);
  expect(await check('shop', 'hunter2')).toBe('unavailable');
  await database.stop();
  expect(await check('shop', 'hunter2')).toBe('unavailable');
});

it('remembers a good token for 5 s and a refused one not at all', async () => {
  const { database, check, time } = await storeUnderTest();
  database.tokens.set('shop', PAIR);
  expect(await check('shop', 'hunter2')).toBe('ok');
  database.tokens.delete('shop');
  time.advance(4_999);
  expect(await check('shop', 'hunter2')).toBe('ok');
  expect(database.requests).toHaveLength(1);
  time.advance(1);
  expect(await check('shop', 'hunter2')).toBe('invalid');
  database.tokens.set('shop', PAIR);
  expect(await check('shop', 'hunter2')).toBe('ok');
});

it('asks once for all who wait for the same answer', async () => {
  const { database, check } = await storeUnderTest();
  database.tokens.set('shop', PAIR);
  const results = await Promise.all(Array.from({ length: 20 }, () => check('shop', 'hunter2')));
  expect(new Set(results)).toEqual(new Set(['ok']));
  expect(database.requests).toHaveLength(1);
});

it('has each new token before its client does, who then gets in until it is withdrawn', async () => {
  const { database, store, time } = await storeUnderTest();
  const { issuer, judge } = await wireTokens(store);
  const first = await issuer.issue({ kind: 'client', masterToken: MASTER, clientId: 'shop' });
  if (!first.ok) throw new Error(first.reason);
  expect(database.requests).toEqual(['POST /db/token?client_id=shop hunter4']);
  expect(database.tokens.get('shop')).toEqual({
    access_token: first.token,
    refresh_token: first.refreshToken,
  });
  expect(await judge(first.token, 'client')).toBe('shop');

  const second = await issuer.issue({ kind: 'refresh', refreshToken: first.refreshToken ?? '' });
  if (!second.ok) throw new Error(second.reason);
  expect(await judge(second.token, 'client')).toBe('shop');
  time.advance(5_000);
  expect(await judge(first.token, 'client')).toBe('invalid');
});

it('asks the store about access tokens of people too, and never about a bad signature', async () => {
  const { database, store } = await storeUnderTest();
  const { judge, own } = await wireTokens(store);
  const token = await own('alice');
  expect(await judge(token, 'client')).toBe('invalid');
  database.tokens.set('alice', { ...PAIR, access_token: token });
  expect(await judge(token, 'client')).toBe('alice');
  const asked = database.requests.length;
  expect(await judge(`${token}x`, 'client')).toBe('invalid');
  // Other wires don't know the store.
  database.tokens.clear();
  expect(await judge(token, 'access')).toBe('alice');
  expect(database.requests).toHaveLength(asked);
});

it('gives no token to a client that the store did not take', async () => {
  const { database, store, lines } = await storeUnderTest();
  const { issuer } = await wireTokens(store);
  database.answerWith(answer(503, 'hunter5'));
  const failed = { ok: false, reason: 'store_failed' };
  expect(await issuer.issue({ kind: 'client', masterToken: MASTER, clientId: 'shop' })).toEqual(failed);
  await database.stop();
  expect(await issuer.issue({ kind: 'client', masterToken: MASTER, clientId: 'shop' })).toEqual(failed);
  expect(lines).toHaveLength(2);
  expect(lines.join('')).not.toMatch(/hunter|eyJ/);
});
