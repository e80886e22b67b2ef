import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, type Method, type Route } from '../../src/rest/route.ts';
import type { SocketRoute } from '../../src/session/socket-session.ts';
import { type EdgeRig, startEdge } from './edge-rig.ts';

/** Answers with what it was asked. */
const echo = (method: Method, path: string, more: Partial<Route> = {}): Route => ({
  method,
  path,
  maxBodyBytes: 0,
  handle: ({ param, query, header, body }) =>
    json(200, {
      method,
      ...{ room: param('room_id'), user: param('user_id'), before: query('before') },
      ...{ master: header('master-token'), authorization: header('authorization') },
      body: Buffer.from(body).toString(),
    }),
  ...more,
});

const socket: SocketRoute = {
  path: '/ws/:session_id',
  maxFrameBytes: 1_024,
  originRefusal: 'http',
  accept: () => assert.fail('nobody upgrades here'),
};
const routes: Route[] = [
  echo('GET', '/rooms/:room_id', { headers: ['master-token'] }),
  echo('DELETE', '/rooms/:room_id'),
  echo('PATCH', '/rooms/:room_id', { maxBodyBytes: 64 }),
  echo('DELETE', '/rooms/:room_id/members/:user_id'),
  echo('PUT', '/rooms/:room_id/members/:user_id', { maxBodyBytes: 64 }),
  echo('POST', '/token'),
  echo('GET', '/ws/test'),
  {
    method: 'OPTIONS',
    path: '/token',
    maxBodyBytes: 0,
    handle: () => ({ status: 204, headers: { 'tus-version': '1.0.0' }, body: '' }),
  },
];
let rig: EdgeRig;

beforeAll(async () => {
  rig = await startEdge(routes, { sockets: [socket] });
});

afterAll(() => rig.edge.drain(0));

interface Asked {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  allow: string | undefined;
  upgrade: string | undefined;
  body: Record<string, unknown>;
}

function ask(method: string, path: string, { body = '', headers = {} } = {}): Promise<Asked> {
  const { promise, resolve, reject } = Promise.withResolvers<Asked>();
  const asked = rig.begin(method, path, { headers });
  asked.once('response', async (response) => {
    let text = '';
    for await (const chunk of response) text += chunk;
    const { allow, upgrade } = response.headers;
    resolve({
      status: response.statusCode,
      headers: response.headers,
      allow,
      upgrade,
      body: text === '' ? {} : JSON.parse(text),
    });
  });
  asked.on('error', reject).end(body);
  return promise;
}

describe('a route with parameters', () => {
  it('gets them decoded, with the query', async () => {
    const { status, body } = await ask('GET', '/rooms/a%2Fb%20%3E?before=7&before=8');
    expect([status, body]).toEqual([200, expect.objectContaining({ room: 'a/b >', before: '7' })]);
  });

  it('reads the headers that all routes read, and those it names', async () => {
    const headers = { 'master-token': 'M', authorization: 'Bearer x' };
    expect((await ask('GET', '/rooms/a', { headers })).body).toMatchObject({
      master: 'M',
      authorization: 'Bearer x',
    });
    expect((await ask('DELETE', '/rooms/a', { headers })).body).toMatchObject({ master: '' });
  });

  it('answers a malformed escape with 400, with every method, and lives on', async () => {
    for (const method of ['GET', 'DELETE', 'PATCH']) {
      const body = method === 'PATCH' ? '{}' : '';
      const reply = await ask(method, '/rooms/%ff', { body });
      expect(reply).toMatchObject({ status: 400, body: { code: 'INVALID_FIELD' } });
    }
    expect((await ask('HEAD', '/rooms/%')).status).toBe(400);
    expect((await ask('GET', '/rooms/a')).status).toBe(200);
  });

  it('is found by each of its methods', async () => {
    const members = '/rooms/a/members/b';
    expect((await ask('DELETE', members)).body).toMatchObject({ method: 'DELETE', room: 'a', user: 'b' });
    const put = await ask('PUT', members, { body: '{"x":1}' });
    expect(put.body).toMatchObject({ method: 'PUT', user: 'b', body: '{"x":1}' });
    expect((await ask('PATCH', '/rooms/a', { body: '{}' })).body).toMatchObject({ body: '{}' });
  });

  it('takes a request without a body, and one whose body nobody reads', async () => {
    expect((await ask('POST', '/token')).status).toBe(200);
    expect((await ask('POST', '/token', { body: 'x'.repeat(1_000) })).body).toMatchObject({ body: '' });
    expect((await ask('PATCH', '/rooms/a')).body).toMatchObject({ body: '' });
  });

  it('refuses a body above its limit', async () => {
    const reply = await ask('PATCH', '/rooms/a', { body: 'x'.repeat(65) });
    expect(reply).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
  });
});

describe('OPTIONS', () => {
  it('is a route like any other, and a 204 has no length', async () => {
    const { status, headers, body } = await ask('OPTIONS', '/token');
    expect([status, headers['tus-version'], body]).toEqual([204, '1.0.0', {}]);
    expect(headers).not.toHaveProperty('content-length');
    expect((await ask('POST', '/token')).status).toBe(200);
  });

  it('is not allowed where there is no such route', async () => {
    expect(await ask('OPTIONS', '/rooms/a')).toMatchObject({
      status: 405,
      allow: 'GET, HEAD, DELETE, PATCH',
    });
    expect(await ask('PUT', '/token')).toMatchObject({ status: 405, allow: 'POST, OPTIONS' });
  });
});

describe('the fallback', () => {
  it('names the methods of a path with parameters', async () => {
    const reply = await ask('POST', '/rooms/a', { body: '{}' });
    expect(reply).toMatchObject({ status: 405, allow: 'GET, HEAD, DELETE, PATCH' });
    expect(await ask('GET', '/rooms/a/members/b')).toMatchObject({ status: 405, allow: 'DELETE, PUT' });
  });

  it('asks for an upgrade on a socket’s path, but not on a route that is spelled out', async () => {
    expect(await ask('GET', '/ws/any-session')).toMatchObject({ status: 426, upgrade: 'websocket' });
    expect((await ask('GET', '/ws/test')).status).toBe(200);
    expect((await ask('POST', '/ws/test')).status).toBe(405);
  });

  it('knows no other path', async () => {
    for (const path of ['/rooms', '/rooms/', '/rooms/a/b', '/rooms/a/members/', '/ws', '/ws/a/b'])
      expect(await ask('GET', path)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });
});
