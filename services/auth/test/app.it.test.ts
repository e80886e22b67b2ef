import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { SUBJECTS, VerifyReply } from '@natter/proto';
import { BASE_SETTINGS, Bus, createLogger, ensureTopology, loadConfig } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startAuth } from '../src/app.ts';
import { AUTH_SETTINGS } from '../src/config.ts';
import { forge, hs256, LOG, rs256, SECRET, temporaryFolder } from './forge.ts';
import { startKeyServer } from './key-server.ts';

let broker: NatsServer;
beforeAll(async () => {
  broker = await startNatsServer();
});
afterAll(() => broker.stop());

const soon = () => Math.floor(Date.now() / 1000) + 60;
const seedToken = (sub: string) => forge({ alg: 'HS256', typ: 'JWT' }, { sub, exp: soon() }, hs256(SECRET));

const ISSUER = 'https://id.example';
const providerEnv = (url: string) => ({
  NATTER_JWKS_URL: url,
  NATTER_JWKS_ISSUER: ISSUER,
  NATTER_JWKS_AUDIENCE: 'chat',
});
const providerToken = (key: KeyObject) =>
  forge(
    { alg: 'RS256', typ: 'JWT', kid: 'k1' },
    { sub: 'bob', iss: ISSUER, aud: 'chat', exp: soon() },
    rs256(key),
  );

async function start(env: Record<string, string> = {}, log = LOG) {
  const settings = { ...BASE_SETTINGS, ...AUTH_SETTINGS };
  const { config } = loadConfig(settings, {
    NATS_URL: broker.url,
    NATTER_DATA_DIR: temporaryFolder(),
    NATTER_JWT_SECRET: SECRET,
    ...env,
  });
  const running = await startAuth(config, log);
  let stopped: Promise<void> | null = null;
  const stop = () => (stopped ??= running.stop());
  onTestFinished(stop);
  return { stop, port: running.ports.internal };
}

async function client() {
  const bus = await Bus.connect({ url: broker.url, name: 'client' }, createLogger('client', 'silent'));
  onTestFinished(() => bus.close());
  const ask = async (subject: string, body: unknown) =>
    JSON.parse(new TextDecoder().decode(await bus.request(subject, JSON.stringify(body), 5_000)));
  const verify = async (token: string) => VerifyReply.parse(await ask(SUBJECTS.authVerify, { token }));
  return { bus, ask, verify };
}

/** The sum of a metric of one instance over its labels. */
async function metric(port: number | undefined, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.matchAll(new RegExp(`^${name}\\{.*\\} (\\d+)$`, 'gm'));
  return [...lines].reduce((sum, line) => sum + Number(line[1]), 0);
}
const answered = (port: number | undefined) => metric(port, 'natter_auth_verifications_total');

it('shares requests among its instances, each request answered once', async () => {
  const [first, second] = [await start(), await start()];
  const { verify } = await client();
  const replies = await Promise.all(
    Array.from({ length: 200 }, (_, index) => verify(seedToken(`u${index}`))),
  );
  expect(replies.map((reply) => reply.ok && reply.principal.sub)).toEqual(
    replies.map((_, index) => `u${index}`),
  );
  const counts = [await answered(first.port), await answered(second.port)];
  expect(Math.min(...counts)).toBeGreaterThan(0);
  expect(counts.reduce((sum, count) => sum + count)).toBe(200);
});

it('is found by the discovery of NATS services, once per instance', async () => {
  await Promise.all([start(), start()]);
  // The bus hears one answer to a request; the protocol itself hears them all.
  const socket = connect(broker.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk;
  });
  socket.write('CONNECT {"verbose":false}\r\nSUB pongs 1\r\nPUB $SRV.PING pongs 0\r\n\r\n');
  const ids = () => new Set([...heard.matchAll(/"name":"auth","id":"(\w+)"/g)].map((match) => match[1])).size;
  await expect.poll(ids, { timeout: 5_000 }).toBe(2);
});

it('answers every request while one of two instances stops', async () => {
  const [first] = [await start(), await start()];
  const { verify } = await client();
  const before = Array.from({ length: 300 }, (_, index) => verify(seedToken(`before${index}`)));
  const stopped = first.stop();
  const during = Array.from({ length: 100 }, (_, index) => verify(seedToken(`during${index}`)));
  const replies = await Promise.all([...before, ...during]);
  await stopped;
  expect(replies.filter((reply) => !reply.ok)).toEqual([]);
});

it('answers what it is at work on before it stops', async () => {
  const provider = await startKeyServer();
  const key = provider.rotate('k1');
  let release = () => {};
  provider.answerWith((request, response) => {
    release = () => {
      provider.answerWith(null);
      provider.respond(request, response);
    };
  });
  const { stop, port } = await start(providerEnv(provider.url));
  const { verify } = await client();
  const reply = verify(providerToken(key));
  await expect.poll(() => metric(port, 'natter_auth_verifications_under_way')).toBe(1);
  expect(provider.requests).toBe(1);
  const stopped = stop();
  release();
  expect(await reply).toMatchObject({ ok: true });
  await stopped;
});

it('signs in for development and verifies its own token, with one key for two instances', async () => {
  const env = { NATTER_DATA_DIR: temporaryFolder(), NATTER_DEV_LOGIN: 'on' };
  await Promise.all([start(env), start(env)]);
  const { ask, verify } = await client();
  const login = await ask(SUBJECTS.authLogin, { sub: 'alice', name: 'Alice' });
  expect(login).toMatchObject({ ok: true });
  const replies = await Promise.all(Array.from({ length: 20 }, () => verify(login.token)));
  expect(replies.every((reply) => reply.ok)).toBe(true);
  const { keys } = await ask(SUBJECTS.authJwks, {});
  expect(keys).toHaveLength(1);
  expect(keys[0]).not.toHaveProperty('d');
});

it('trusts an identity provider, and says unavailable while its keys cannot be had', async () => {
  const provider = await startKeyServer();
  const key = provider.rotate('k1');
  provider.answerWith((_request, response) => response.writeHead(503).end());
  await start(providerEnv(provider.url));
  const { verify } = await client();
  const token = providerToken(key);
  expect(await verify(token)).toEqual({ ok: false, reason: 'unavailable' });
  expect(await verify(seedToken('alice'))).toMatchObject({ ok: true });
  provider.answerWith(null);
  await expect.poll(() => verify(token), { timeout: 10_000 }).toMatchObject({ ok: true });
});

it('is ready while it is connected', async () => {
  const { port } = await start();
  const ready = () => fetch(`http://127.0.0.1:${port}/readyz`).then(({ status }) => status);
  expect(await ready()).toBe(200);
  await broker.kill();
  await expect.poll(ready, { timeout: 10_000 }).toBe(503);
  await broker.restart();
  await expect.poll(ready, { timeout: 10_000 }).toBe(200);
  const { verify } = await client();
  expect(await verify(seedToken('alice'))).toMatchObject({ ok: true });
});

it('makes tokens for whoever has the generated master token, which it does not log', async () => {
  const dataDir = temporaryFolder();
  const lines: string[] = [];
  const log = createLogger('auth', 'trace', { write: (line) => void lines.push(line) });
  await start({ NATTER_DATA_DIR: dataDir }, log);
  const masterToken = readFileSync(join(dataDir, 'auth', 'master-token'), 'utf8');
  const { ask } = await client();
  const made = await ask(SUBJECTS.authIssue, { kind: 'client', masterToken, clientId: 'shop' });
  expect(await ask(SUBJECTS.authVerify, { token: made.token, use: 'client' })).toMatchObject({
    ok: true,
    principal: { sub: 'shop' },
  });
  expect(await ask(SUBJECTS.authVerify, { token: made.token })).toEqual({ ok: false, reason: 'invalid' });
  expect(await ask(SUBJECTS.authVerify, { token: masterToken, use: 'master' })).toMatchObject({
    principal: { sub: 'natter:master', roles: ['admin'] },
  });
  const text = lines.join('');
  expect(text).toContain(join(dataDir, 'auth', 'master-token'));
  for (const secret of [masterToken, made.token, made.refreshToken]) expect(text).not.toContain(secret);
});

it('[apikeys/environment] takes LOGS_API_KEY before there is a store, and cannot tell of any other key', async () => {
  const [LOGS_API_KEY, key] = [
    'the key of a log shipper'.replaceAll(' ', '-'),
    `nk_${'a'.repeat(16)}_${'A'.repeat(43)}`,
  ];
  await start({ LOGS_API_KEY });
  const { ask } = await client();
  const judge = (token: string, use: string) => ask(SUBJECTS.authVerify, { token, use });
  expect(await judge(LOGS_API_KEY, 'api_key')).toMatchObject({
    principal: { sub: 'natter:key:environment', roles: [], scopes: ['logs:read', 'logs:write'] },
  });
  expect(await judge(seedToken('alice'), 'api_key')).toMatchObject({ principal: { sub: 'alice' } });
  expect(await judge(key, 'api_key')).toEqual({ ok: false, reason: 'unavailable' });
  const unavailable = { ok: false, reason: 'unavailable' };
  expect(await ask(SUBJECTS.authApiKeys, { op: 'list' })).toEqual(unavailable);
  for (const use of ['access', 'websocket', 'client', 'master'])
    for (const token of [LOGS_API_KEY, key])
      expect(await judge(token, use)).toEqual({ ok: false, reason: 'invalid' });
});

it('knows who may be where, for all instances alike', async () => {
  await Promise.all([start(), start()]);
  const { bus, ask } = await client();
  const who = { sub: 'alice', name: null, admin: false };
  const request = { op: 'join', who, id: 'lobby', type: 'shared', name: null, ai: null };
  expect(await ask(SUBJECTS.authRooms, request)).toEqual({ ok: false, code: 'UNAVAILABLE' });
  await ensureTopology(bus, { replicas: 1, transcriptDays: 1 });
  const joined = await Promise.all(Array.from({ length: 10 }, () => ask(SUBJECTS.authRooms, request)));
  expect(new Set(joined.map((reply) => reply.rooms[0].room.key)).size).toBe(1);
  expect(await ask(SUBJECTS.authRooms, { op: 'mine', who })).toMatchObject({
    ok: true,
    rooms: [{ room: { id: 'lobby', owner: 'alice' }, role: 'owner' }],
  });
});

it('does not start with half an identity provider', async () => {
  await expect(start({ NATTER_JWKS_URL: 'http://127.0.0.1:1/jwks' })).rejects.toMatchObject({
    code: 'CONFIG',
  });
});
