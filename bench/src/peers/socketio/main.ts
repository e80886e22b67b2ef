/** Peer: Socket.IO with its Redis adapter, and one room that everybody joins who connects. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter } from '@socket.io/redis-adapter';
import { createClient } from 'redis';
import { Server } from 'socket.io';
import { serveParent } from '../serve-parent.ts';

export interface SocketioRequest {
  /** Of Redis. */
  redisPort: number;
}

const ROOM = 'room';
/** As Natter's heartbeat in these figures: none comes while something is measured. */
const PING_MS = 480_000;

/** Replies with its port. Source of the settings: socket.io/docs/v4, Performance tuning and Redis adapter. */
async function start({ redisPort }: SocketioRequest): Promise<number> {
  const publisher = createClient({ socket: { host: '127.0.0.1', port: redisPort } });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  const http = createServer();
  const io = new Server(http, {
    adapter: createAdapter(publisher, subscriber),
    transports: ['websocket'],
    serveClient: false,
    // Off by default too; compressing would be another work.
    perMessageDeflate: false,
    pingInterval: PING_MS,
    pingTimeout: PING_MS,
  });
  // Keeps the request of each upgrade from staying in memory.
  io.engine.on('connection', (raw) => {
    raw.request = null;
  });
  io.on('connection', (socket) => void socket.join(ROOM));
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  return (http.address() as AddressInfo).port;
}

serveParent(start);
