/** Two gateways, real sockets and event streams. */
import { connect, type Frame, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readEvents } from './read-events.ts';

const KEY = 'a-key-of-the-environment';
const WAIT = { timeout: 20_000, interval: 20 };

let stack: Stack;
let admin: string;

beforeAll(async () => {
  stack = await startStack({ gateways: 2, env: { LOGS_API_KEY: KEY, NATTER_SHIPPED_LOG_LEVEL: 'silent' } });
  admin = await stack.token({ sub: 'root', roles: ['admin'] });
}, 60_000);

afterAll(() => stack.stop());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function http(method: string, path: string, { token = KEY, body = '', gateway = 0 } = {}) {
  const response = await fetch(`${stack.httpUrl(gateway)}${path}`, {
    method,
    headers: bearer(token),
    ...(body === '' ? {} : { body }),
  });
  return { status: response.status, body: (await response.json()) as Frame };
}

const socket = (query = '', { token = KEY, gateway = 0 } = {}) =>
  connect(`${stack.url(gateway)}/ws/logs${query}`, { headers: bearer(token) });

async function makeKey(scopes: string[]): Promise<{ id: string; key: string }> {
  const { status, body } = await http('POST', '/api/v1/api-keys', {
    token: admin,
    body: JSON.stringify({ name: 'test', scopes }),
  });
  expect(status).toBe(201);
  return body;
}

const say = (message: string, gateway = 0) =>
  http('POST', `/api/broadcast-log?message=${encodeURIComponent(message)}`, { gateway });

describe('logs', () => {
  it('reach every socket and stream of every gateway, as in the seed', async () => {
    const sockets = await Promise.all([socket(), socket('', { gateway: 1 })]);
    const stream = await readEvents(`${stack.httpUrl(1)}/api/get-logs-stream`, bearer(KEY));
    expect(stream.type).toMatch(/^text\/event-stream/);
    expect(await say('Process started successfully')).toEqual({
      status: 200,
      body: { status: 'success', message: 'Log broadcasted: Process started successfully' },
    });
    for (const probe of sockets) {
      await vi.waitUntil(() => probe.frames.length > 0, WAIT);
      expect(probe.frames).toEqual([{ log: 'Process started successfully' }]);
    }
    await vi.waitUntil(() => stream.events.length > 0, WAIT);
    expect(stream.events).toMatchObject([{ data: { log: 'Process started successfully' } }]);
    expect((await http('GET', '/api/get-active-websockets')).body).toEqual({ active_websockets: 2 });
    const gone = await http('POST', '/api/disconnect-all-websockets', { token: admin });
    expect(gone.body).toMatchObject({ status: 'success', disconnected: 2 });
    for (const probe of sockets) expect(await probe.closed).toMatchObject({ code: 1012 });
    expect((await http('GET', '/api/get-active-websockets')).body).toEqual({ active_websockets: 0 });
    stream.close();
  });

  it('go on behind the last event, on another gateway, in full', async () => {
    const stream = await readEvents(`${stack.httpUrl()}/api/get-logs-stream?format=full`, bearer(KEY));
    await say('one');
    await vi.waitUntil(() => stream.events.length === 1, WAIT);
    stream.close();
    await say('two');
    const again = await readEvents(`${stack.httpUrl(1)}/api/get-logs-stream?format=full`, {
      ...bearer(KEY),
      'last-event-id': stream.events[0]?.id ?? '',
    });
    await say('three');
    await vi.waitUntil(() => again.events.length === 2, WAIT);
    expect(again.events.map(({ data }) => data)).toMatchObject([
      { log: 'two', level: 'info', service: 'external', category: 'broadcast', trace_id: null, fields: {} },
      { log: 'three' },
    ]);
    again.close();
  });

  it('go to pages of allowed Origins, also over event streams, and of no other', async () => {
    const url = `${stack.httpUrl()}/api/get-logs-stream?token=${KEY}`;
    const cors = async (origin: string, method = 'GET') => {
      const response = await fetch(url, { method, headers: { origin } });
      await response.body?.cancel();
      return [response.status, response.headers.get('access-control-allow-origin')];
    };
    // NATTER_ENV=development allows pages of this machine.
    const mine = 'http://localhost:3000';
    expect(await cors(mine)).toEqual([200, mine]);
    expect(await cors(mine, 'OPTIONS')).toEqual([204, mine]);
    for (const method of ['GET', 'OPTIONS'])
      expect((await cors('https://evil.example', method))[1]).toBeNull();
  });

  it('let a reader acknowledge at once what it came with', async () => {
    await say('read before');
    const before = await socket('?name=back&tail=1');
    await vi.waitUntil(() => before.frames.length === 1, WAIT);
    const seq = Number(before.frames[0]?.seq);
    before.close();
    const again = await socket(`?name=back&cursor=${seq}`);
    // Its key is judged first.
    await vi.waitUntil(
      async () => (await http('GET', '/api/get-active-websockets')).body.active_websockets === 1,
      WAIT,
    );
    again.send({ ack: seq });
    await say('behind it');
    await vi.waitUntil(() => again.frames.length > 0, WAIT);
    expect(again.frames).toEqual([{ log: 'behind it', seq: seq + 1 }]);
    again.close();
  });

  it('take lines of other services, and show those a filter lets through', async () => {
    const lines = [
      { service: 'shop', level: 50, category: 'orders', msg: 'out of stock', sku: 7 },
      { service: 'shop', level: 'debug', msg: 'thinking' },
      { service: 'gateway', msg: 'I am the gateway' },
      { service: 'shop', level: 'fatal', msg: 'token=abcdefgh is gone' },
    ];
    const probe = await socket('?service=shop&level=warn&format=full&tail=10');
    const { body } = await http('POST', '/api/logs', {
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
    });
    const refused = [{ line: 2, code: 'INVALID_LOG_LINE', detail: 'reserved service' }];
    expect(body).toEqual({ accepted: 3, refused });
    await vi.waitUntil(() => probe.frames.length === 2, WAIT);
    // They are stored at once, in any order.
    const shown = probe.frames.toSorted((one, other) => (one.level < other.level ? -1 : 1));
    expect(shown).toMatchObject([
      { log: 'out of stock', level: 'error', service: 'shop', category: 'orders', fields: { sku: 7 } },
      { log: 'token=[redacted] is gone', level: 'fatal' },
    ]);
    probe.socket.close();
    await probe.closed;
  });

  it('go on where a named reader has acknowledged', async () => {
    const first = await socket('?name=ci');
    for (const text of ['a', 'b', 'c']) await say(text);
    await vi.waitUntil(() => first.frames.length === 3, WAIT);
    first.send({ ack: first.frames[1].seq });
    first.send({ ack: first.frames[2].seq + 1_000 });
    await vi.waitUntil(() => first.frames.length === 4, WAIT);
    expect(first.frames[3]).toMatchObject({ code: 'INVALID_FIELD' });
    first.socket.close();
    await first.closed;
    const second = await socket('?name=ci', { gateway: 1 });
    await vi.waitUntil(() => second.frames.length > 0, WAIT);
    expect(second.frames).toEqual([first.frames[2]]);
    second.socket.close();
    await second.closed;
  });

  it.each([
    ['no key', '', 'AUTH_REQUIRED', 401],
    ['a bad one', 'nope', 'INVALID_TOKEN', 401],
  ])('are not for %s', async (_what, token, code, status) => {
    const probe = await connect(`${stack.url()}/ws/logs`, token === '' ? {} : { headers: bearer(token) });
    expect(await probe.closed).toMatchObject({ code: 1008, reason: 'Unauthorized' });
    expect(probe.frames).toMatchObject([{ code }]);
    const headers: Record<string, string> = token === '' ? {} : bearer(token);
    const response = await fetch(`${stack.httpUrl()}/api/get-logs-stream`, { headers });
    expect([response.status, await response.json()]).toMatchObject([status, { code }]);
  });

  it('are not for a key without the scope, and writing is not for one that reads', async () => {
    const [writer, reader] = [await makeKey(['logs:write']), await makeKey(['logs:read'])];
    const probe = await socket('', { token: writer.key });
    expect(await probe.closed).toMatchObject({ code: 1008 });
    expect(probe.frames).toMatchObject([{ code: 'SCOPE_REQUIRED' }]);
    for (const path of ['/api/logs', '/api/broadcast-log?message=x'])
      expect(await http('POST', path, { token: reader.key })).toMatchObject({
        status: 403,
        body: { code: 'SCOPE_REQUIRED' },
      });
    expect(await http('POST', '/api/disconnect-all-websockets')).toMatchObject({ status: 403 });
  });

  it('end for a key that is revoked, at once and for nobody else', async () => {
    const { id, key } = await makeKey(['logs:read']);
    const [revoked, other] = [await socket('', { token: key, gateway: 1 }), await socket()];
    const stream = await readEvents(`${stack.httpUrl()}/api/get-logs-stream`, bearer(key));
    await say('before');
    for (const { frames } of [revoked, other]) await vi.waitUntil(() => frames.length === 1, WAIT);
    await http('DELETE', `/api/v1/api-keys/${id}`, { token: admin });
    expect(await revoked.closed).toMatchObject({ code: 1008, reason: 'API key revoked' });
    await stream.ended;
    await say('after');
    await vi.waitUntil(() => other.frames.length === 2, WAIT);
    other.socket.close();
    await other.closed;
  });

  it('end in order when a gateway stops, which doesn’t wait for them', async () => {
    const stream = await readEvents(`${stack.httpUrl(1)}/api/get-logs-stream`, bearer(KEY));
    const begun = performance.now();
    await Promise.all([stack.gateways[1]?.stop(), stream.ended]);
    // FLUSH_MS of the edge is 2 s.
    expect(performance.now() - begun).toBeLessThan(1_500);
  });
});
