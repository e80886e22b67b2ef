import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Route } from '../../src/rest/route.ts';
import { type EdgeRig, startEdge } from './edge-rig.ts';

const routes: Route[] = [
  {
    method: 'GET',
    path: '/livez',
    maxBodyBytes: 0,
    handle: () => ({ status: 200, headers: {}, body: 'ok\n' }),
  },
  {
    method: 'GET',
    path: '/uploads/:id',
    maxBodyBytes: 0,
    handle: () => ({ status: 200, headers: {}, body: 'of GET' }),
  },
  {
    method: 'HEAD',
    path: '/uploads/:id',
    maxBodyBytes: 0,
    headers: ['tus-resumable'],
    handle: ({ param, header }) => ({
      status: 200,
      headers: { 'upload-offset': param('id'), 'tus-resumable': header('tus-resumable') },
      body: '',
    }),
  },
  {
    method: 'HEAD',
    path: '/files/:id',
    maxBodyBytes: 0,
    handle: () => ({ status: 200, headers: { 'content-length': '50000000' }, body: '' }),
  },
  {
    method: 'GET',
    path: '/ranges',
    maxBodyBytes: 0,
    headers: ['range'],
    handle: ({ header }) => ({ status: header('range') === '' ? 200 : 206, headers: {}, body: '' }),
  },
];
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let rig: EdgeRig;

beforeAll(async () => {
  rig = await startEdge(routes);
});

afterAll(async () => {
  agent.destroy();
  await rig.edge.drain(0);
});

function ask(method: string, path: string) {
  const { promise, resolve, reject } = Promise.withResolvers<object>();
  const headers = { 'tus-resumable': '1.0.0', range: 'bytes=0-1' };
  const asked = rig.begin(method, path, { agent, headers });
  asked.once('response', async (response) => {
    let body = '';
    for await (const chunk of response) body += chunk;
    const { statusCode: status, headers } = response;
    resolve({ status, length: Number(headers['content-length']), body, headers, reused: asked.reusedSocket });
  });
  asked.on('error', reject).end();
  return promise;
}

describe('HEAD', () => {
  it('gets what GET would, without the body, on a connection that goes on', async () => {
    expect(await ask('HEAD', '/livez')).toMatchObject({ status: 200, length: 3, body: '', reused: false });
    expect(await ask('GET', '/livez')).toMatchObject({ status: 200, length: 3, body: 'ok\n', reused: true });
  });

  it('is of the whole, whatever range it asks for', async () => {
    expect(await ask('GET', '/ranges')).toMatchObject({ status: 206 });
    expect(await ask('HEAD', '/ranges')).toMatchObject({ status: 200 });
  });

  it('of an unknown path is a 404 like any other', async () => {
    expect(await ask('HEAD', '/nowhere')).toMatchObject({ status: 404, body: '' });
    expect(await ask('GET', '/livez')).toMatchObject({ status: 200, reused: true });
  });

  it('of a route of its own wins over that of GET', async () => {
    const headers = { 'upload-offset': '7', 'tus-resumable': '1.0.0' };
    expect(await ask('HEAD', '/uploads/7')).toMatchObject({ status: 200, length: 0, body: '', headers });
    expect(await ask('GET', '/uploads/7')).toMatchObject({ body: 'of GET', reused: true });
  });

  it('of a route of its own may tell a length without making the body', async () => {
    expect(await ask('HEAD', '/files/7')).toMatchObject({ status: 200, length: 50_000_000, body: '' });
    expect(await ask('GET', '/livez')).toMatchObject({ status: 200, reused: true });
  });
});
