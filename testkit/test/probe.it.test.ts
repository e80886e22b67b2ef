import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { connect } from '../src/probe.ts';

let server: WebSocketServer | undefined;
afterEach(() => server?.close());

async function serve(onSocket: (socket: import('ws').WebSocket) => void, verify = true): Promise<string> {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0, verifyClient: () => verify });
  server.on('connection', onSocket);
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('a greeting sent with the handshake is not lost', async () => {
  const probe = await connect(await serve((socket) => socket.send('{"type":"hello"}')));
  expect(await probe.nextOfType('hello')).toEqual({ type: 'hello' });
  expect((await probe.close()).code).toBe(1000);
});

test('a wait that fails says what arrived instead', async () => {
  const probe = await connect(await serve((socket) => socket.send('{"type":"other"}')));
  await expect(probe.nextOfType('hello', 50)).rejects.toThrow(/no such frame within 50 ms.*\n.*"other"/s);
  await probe.close();
});

test('a close by the server ends a wait with its code', async () => {
  const probe = await connect(await serve((socket) => socket.close(4001, 'no token')));
  await expect(probe.nextOfType('hello')).rejects.toThrow('4001 no token');
  expect(await probe.closing()).toEqual({ code: 4001, reason: 'no token' });
});

test('a refused upgrade rejects with its status', async () => {
  const url = await serve(() => undefined, false);
  await expect(connect(url)).rejects.toMatchObject({ code: 'UPGRADE_REFUSED', status: 401 });
});
