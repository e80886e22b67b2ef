/** Peer: Socket.IO with its Redis adapter, and rooms that are joined in the connection handler. */

import { App, us_socket_local_port } from 'uWebSockets.js';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter } from '@socket.io/redis-adapter';
import type { JSONWebKeySet } from 'jose';
import { createClient } from 'redis';
import { Server, type Socket } from 'socket.io';
import { serveParent } from '../serve-parent.ts';
import { type TokenCheck, tokenCheck } from '../token-check.ts';

export interface SocketioRequest {
  /** Of Redis. */
  redisPort: number;
  /** The WebSocket server beneath; ws is Socket.IO's own choice. */
  engine: 'ws' | 'uWebSockets.js';
  /** Of the tokens that everybody must show; null where everybody may come into the one room. */
  jwks: JSONWebKeySet | null;
}

const ROOM = 'room';
/** As Natter's heartbeat in these figures: none comes while something is measured. */
const PING_MS = 480_000;

/**
 * Replies with its port.
 *
 * Source of the settings: socket.io/docs/v4, Performance tuning, Memory usage, Redis adapter.
 */
async function start({ redisPort, engine, jwks }: SocketioRequest): Promise<number> {
  const publisher = createClient({ socket: { host: '127.0.0.1', port: redisPort } });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  const io = new Server({
    adapter: createAdapter(publisher, subscriber),
    transports: ['websocket'],
    serveClient: false,
    // Off by default too; compressing would be another work.
    perMessageDeflate: false,
    pingInterval: PING_MS,
    pingTimeout: PING_MS,
  });
  const port = await (engine === 'ws' ? listenOnHttp(io) : listenOnUWebSockets(io));
  // Keeps the request of each upgrade from staying in memory.
  io.engine.on('connection', (raw) => {
    raw.request = null;
  });
  if (jwks === null) {
    io.on('connection', (socket) => void socket.join(ROOM));
  } else {
    const check = tokenCheck(jwks);
    io.use((socket, next) => void letIn(socket, check).then(() => next(), next));
    io.on('connection', (socket) => {
      const { room } = socket.handshake.auth;
      if (typeof room === 'string') void socket.join(room);
    });
  }
  return port;
}

async function listenOnHttp(io: Server): Promise<number> {
  const http = createServer();
  io.attach(http);
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  return (http.address() as AddressInfo).port;
}

function listenOnUWebSockets(io: Server): Promise<number> {
  const app = App();
  io.attachApp(app);
  return new Promise((resolve, reject) => {
    app.listen('127.0.0.1', 0, (socket) => {
      if (socket === false) reject(new Error('no port'));
      // The types of the package take its own kind of socket here.
      else resolve(us_socket_local_port(socket as unknown as Parameters<typeof us_socket_local_port>[0]));
    });
  });
}

async function letIn(socket: Socket, check: TokenCheck): Promise<void> {
  socket.data.user = await check(String(socket.handshake.auth.token));
}

serveParent(start);
