import { Agent, request } from 'node:http';
import { createLogger, Metrics } from '@natter/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Edge } from '../../src/edge/server.ts';
import { registerGatewayMetrics } from '../../src/metrics.ts';
import type { Route } from '../../src/rest/route.ts';

const route: Route = {
  method: 'GET',
  path: '/livez',
  maxBodyBytes: 0,
  handle: () => ({ status: 200, headers: {}, body: 'ok\n' }),
};
const edge = new Edge(
  {
    host: '127.0.0.1',
    port: 0,
    allowedOrigins: [],
    localhostAllowed: false,
    trustedProxies: [],
    maxConnections: 10,
    maxConnectionsPerAddress: 10,
    hardBufferBytes: 65_536,
    heartbeatSeconds: 30,
  },
  {
    sockets: [],
    routes: [route],
    metrics: registerGatewayMetrics(new Metrics('gateway'), {
      connections: () => 0,
      runs: () => 0,
      logReaders: () => 0,
      logFeeds: () => 0,
    }),
    log: createLogger('gateway', 'silent'),
  },
);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let port: number;

beforeAll(async () => {
  port = await edge.listen();
});

afterAll(async () => {
  agent.destroy();
  await edge.drain(0);
});

function ask(method: string, path: string) {
  const { promise, resolve, reject } = Promise.withResolvers<object>();
  const asked = request({ host: '127.0.0.1', port, method, path, agent }, async (response) => {
    let body = '';
    for await (const chunk of response) body += chunk;
    const { statusCode: status, headers } = response;
    resolve({ status, length: Number(headers['content-length']), body, reused: asked.reusedSocket });
  });
  asked.on('error', reject).end();
  return promise;
}

describe('HEAD', () => {
  it('gets what GET would, without the body, on a connection that goes on', async () => {
    expect(await ask('HEAD', '/livez')).toEqual({ status: 200, length: 3, body: '', reused: false });
    expect(await ask('GET', '/livez')).toEqual({ status: 200, length: 3, body: 'ok\n', reused: true });
  });

  it('of an unknown path is a 404 like any other', async () => {
    expect(await ask('HEAD', '/nowhere')).toMatchObject({ status: 404, body: '' });
    expect(await ask('GET', '/livez')).toMatchObject({ status: 200, reused: true });
  });
});
