/** API keys on a whole stack of two gateways: who makes them, what they open, and their end. */
import { CLOSES } from '@natter/proto';
import { connect, type Frame, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  askHttp,
  type EventStream,
  framesUpTo,
  LOGS_WAIT,
  makeKey,
  openLogSocket,
  openLogStream,
  readersAre,
} from '../src/log-reading.ts';
import { reportFailures } from '../src/report-failures.ts';
import { ROOMS_PATH } from '../src/rooms-chat.ts';

const KEY = 'the-logs-key-of-the-environment';
const KEYS = '/api/v1/api-keys';
const GATEWAYS = [0, 1];

let stack: Stack;
let admin: string;
beforeAll(async () => {
  const env = { LOGS_API_KEY: KEY, NATTER_SHIPPED_LOG_LEVEL: 'silent' };
  stack = await startStack({ gateways: GATEWAYS.length, env });
  admin = await stack.token({ sub: 'root', roles: ['admin'] });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const open: (Probe | EventStream)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((reader) => reader.close()));
  await readersAre(stack, 0);
});

interface Readers {
  sockets: Probe[];
  streams: EventStream[];
}

/** A socket and a stream of this key on each gateway. */
async function readersOf(key: string): Promise<Readers> {
  const readers: Readers = { sockets: [], streams: [] };
  for (const gateway of GATEWAYS) {
    readers.sockets.push(await openLogSocket(stack, { key, gateway }));
    readers.streams.push(await openLogStream(stack, { key, gateway }));
  }
  open.push(...readers.sockets, ...readers.streams);
  return readers;
}

async function expectEnded({ sockets, streams }: Readers): Promise<void> {
  const { code, reason } = CLOSES.keyRevoked;
  for (const probe of sockets) expect(await probe.closing(LOGS_WAIT.timeout)).toEqual({ code, reason });
  for (const { ended } of streams) await vi.waitUntil(ended, LOGS_WAIT);
}

async function expectRefused(key: string, code: string): Promise<void> {
  for (const gateway of GATEWAYS) {
    const probe = await openLogSocket(stack, { key, gateway });
    expect(await probe.closing()).toMatchObject({ code: 1008 });
    expect(probe.frames).toMatchObject([{ code }]);
    for (const [method, path] of [
      ['GET', '/api/get-logs-stream'],
      ['GET', KEYS],
      ['POST', '/api/logs'],
    ] as const)
      expect(await askHttp(stack, method, path, { key, gateway })).toMatchObject({
        status: 401,
        body: { code },
      });
  }
}

const broadcast = (message: string, key = KEY) =>
  askHttp(stack, 'POST', `/api/broadcast-log?message=${message}`, { key });

describe('a key', () => {
  it('[apikeys/revoked] that is revoked ends at once on every open socket and stream of both gateways, and is refused; others go on', async () => {
    const { id, key } = await makeKey(stack, admin, ['logs:read', 'logs:write', 'admin']);
    const [revoked, others] = [await readersOf(key), await readersOf(KEY)];
    await readersAre(stack, 8);
    expect((await broadcast('before', key)).status).toBe(200);
    for (const reader of [revoked, others].flatMap(({ sockets, streams }) => [...sockets, ...streams]))
      expect(await framesUpTo(reader, 'before')).toEqual([{ log: 'before' }]);
    expect(await askHttp(stack, 'DELETE', `${KEYS}/${id}`, { key: admin, gateway: 1 })).toEqual({
      status: 200,
      body: { id, status: 'revoked' },
    });
    // The answer is not waited for: whoever shows it now is refused.
    await expectRefused(key, 'INVALID_TOKEN');
    await expectEnded(revoked);
    await broadcast('after');
    for (const reader of [...others.sockets, ...others.streams])
      expect(await framesUpTo(reader, 'after')).toHaveLength(2);
    for (const { frames } of [...revoked.sockets, ...revoked.streams])
      expect(frames).toEqual([{ log: 'before' }]);
    const again = await askHttp(stack, 'DELETE', `${KEYS}/${id}`, { key: admin });
    expect(again).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  it('[apikeys/expiry] that expires ends on every open socket and stream by itself, and is refused', async () => {
    let readers: Readers | null = null;
    let key = '';
    // A busy machine may need longer than a key lives to open four readers.
    for (let ttl_s = 3; readers === null; ttl_s *= 2) {
      ({ key } = await makeKey(stack, admin, ['logs:read', 'logs:write', 'admin'], { ttl_s }));
      const tried = await readersOf(key);
      const areOpen = await readersAre(stack, 4).then(
        () => true,
        () => false,
      );
      if (areOpen && tried.sockets.every(({ closedWith }) => closedWith === null)) readers = tried;
      else if (ttl_s > 60) throw new Error('no reader could be opened within a minute');
    }
    await expectEnded(readers);
    // Readers are ended at the full second before: within the same one the key is still good.
    const keys = () => askHttp(stack, 'GET', KEYS, { key });
    await vi.waitFor(async () => expect(await keys()).toMatchObject({ status: 401 }), LOGS_WAIT);
    await expectRefused(key, 'TOKEN_EXPIRED');
    const { body } = await askHttp(stack, 'GET', KEYS, { key: admin });
    expect(JSON.stringify(body)).not.toContain(key.split('_')[1]);
  });

  it.each([
    { scopes: ['logs:read'], reads: true, writes: false, administrates: false },
    { scopes: ['logs:write'], reads: false, writes: true, administrates: false },
    { scopes: ['logs:read', 'logs:write'], reads: true, writes: true, administrates: false },
    { scopes: ['admin'], reads: true, writes: true, administrates: true },
  ])('[apikeys/scopes] with $scopes may do that and nothing else', async ({ scopes, ...may }) => {
    const { key } = await makeKey(stack, admin, scopes);
    const status = async (method: string, path: string, body?: object) =>
      (await askHttp(stack, method, path, { key, body })).status;
    const allowed = (can: boolean) => (can ? 200 : 403);
    expect(await status('GET', '/api/get-active-websockets')).toBe(allowed(may.reads));
    expect(await status('POST', '/api/logs', { msg: 'x' })).toBe(allowed(may.writes));
    expect(await status('POST', '/api/broadcast-log', { message: 'x' })).toBe(allowed(may.writes));
    expect(await status('POST', '/api/disconnect-all-websockets')).toBe(allowed(may.administrates));
    expect(await status('GET', KEYS)).toBe(allowed(may.administrates));
    expect(await status('DELETE', `${KEYS}/abcdefghijklmno1`)).toBe(may.administrates ? 404 : 403);
    const stream = await openLogStream(stack, { key });
    open.push(stream);
    expect(stream.response.status).toBe(allowed(may.reads));
    const probe = await openLogSocket(stack, { key });
    open.push(probe);
    if (may.reads) await readersAre(stack, 2);
    else expect(await probe.closing()).toMatchObject({ code: 1008 });
    // Nothing that is for people, whatever its scopes.
    for (const path of ['/api/v1/ws/stats', '/api/v1/files', '/api/v1/ws/rooms/a'])
      expect(await status('GET', path)).toBe(401);
    expect(await status('POST', '/api/v1/chat', { message: 'Hello?' })).toBe(401);
    expect(await status('POST', '/api/v1/ws/token')).toBe(401);
    const rooms = await connect(`${stack.url()}${ROOMS_PATH}?token=${key}`);
    expect(await rooms.closing()).toMatchObject({ code: 4001 });
  });

  it('[apikeys/shown-once] is shown to whoever makes it, and by no later answer', async () => {
    const { id, key } = await makeKey(stack, admin, ['logs:read'], { ttl_s: 3_600 });
    expect(key).toMatch(/^nk_[a-z0-9]{16}_[\w-]{43}$/);
    for (const gateway of GATEWAYS) {
      const { body } = await askHttp(stack, 'GET', KEYS, { key: admin, gateway });
      const found = body.keys.find((one: Frame) => one.id === id);
      expect(Object.keys(found).toSorted()).toEqual(['created_at', 'expires_at', 'id', 'name', 'scopes']);
      expect(JSON.stringify(body)).not.toContain(key.slice(-43));
    }
    const revoked = await askHttp(stack, 'DELETE', `${KEYS}/${id}`, { key: admin });
    expect(JSON.stringify(revoked.body)).not.toContain(key.slice(-43));
  });
});

it('[apikeys/admin] only an admin makes, lists and revokes keys', async () => {
  const { id } = await makeKey(stack, admin, ['logs:read']);
  const { key: both } = await makeKey(stack, admin, ['logs:read', 'logs:write']);
  const user = await stack.token({ sub: 'alice', roles: ['user'] });
  const requests = [
    ['POST', KEYS, { name: 'mine', scopes: ['logs:read'] }],
    ['GET', KEYS, undefined],
    ['DELETE', `${KEYS}/${id}`, undefined],
  ] as const;
  for (const [method, path, body] of requests) {
    for (const key of [KEY, both, user])
      expect(await askHttp(stack, method, path, { key, body })).toMatchObject({
        status: 403,
        body: { code: 'ADMIN_ONLY' },
      });
    for (const key of ['', 'nonsense'])
      expect((await askHttp(stack, method, path, { key, body })).status).toBe(401);
  }
  // It was neither made nor revoked; and a key with the scope admin is one.
  const { key } = await makeKey(stack, admin, ['admin']);
  const { body } = await askHttp(stack, 'GET', KEYS, { key });
  const names = body.keys.map(({ name }: Frame) => name);
  expect([names.includes('mine'), body.keys.some((one: Frame) => one.id === id)]).toEqual([false, true]);
  expect((await askHttp(stack, 'DELETE', `${KEYS}/${id}`, { key })).status).toBe(200);
});

it('[apikeys/environment] LOGS_API_KEY reads and writes logs from the start, and is in no list', async () => {
  const readers = await readersOf(KEY);
  await readersAre(stack, 4);
  expect((await broadcast('hello')).status).toBe(200);
  for (const reader of [...readers.sockets, ...readers.streams])
    expect(await framesUpTo(reader, 'hello')).toEqual([{ log: 'hello' }]);
  const { body } = await askHttp(stack, 'GET', KEYS, { key: admin });
  expect(JSON.stringify(body)).not.toMatch(/environment|LOGS_API_KEY/);
  for (const wrong of [KEY.slice(0, -1), `${KEY}x`]) await expectRefused(wrong, 'INVALID_TOKEN');
});
