/** Peer: the ws package, with rooms as its documentation broadcasts: a loop over the sockets. */
import type { AddressInfo } from 'node:net';
import type { JSONWebKeySet } from 'jose';
import { WebSocket, WebSocketServer } from 'ws';
import { serveParent } from '../serve-parent.ts';
import { type TokenCheck, tokenCheck, type User } from '../token-check.ts';

export interface WsRequest {
  /** Of whom comes to `/in`; null where nobody does. */
  jwks: JSONWebKeySet | null;
}

const ROOM = 'room';
const UNAUTHORIZED = 4401;

const rooms = new Map<string, Set<WebSocket>>();
const users = new WeakMap<WebSocket, User>();

/** Replies with its port. */
async function start({ jwks }: WsRequest): Promise<number> {
  const check = jwks === null ? null : tokenCheck(jwks);
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    // The defaults, said aloud: what a peer compresses or limits would be another work.
    perMessageDeflate: false,
    maxPayload: 64 * 1024,
    clientTracking: false,
  });
  server.on('connection', (socket, { url = '' }) => {
    // The close event follows; without a listener the process would end.
    socket.on('error', () => undefined);
    if (url === '/say') socket.on('message', say);
    else if (check === null) join(socket, ROOM);
    else void letIn(socket, new URL(url, 'http://peer').searchParams, check);
  });
  await new Promise((resolve) => server.on('listening', resolve));
  return (server.address() as AddressInfo).port;
}

async function letIn(socket: WebSocket, query: URLSearchParams, check: TokenCheck): Promise<void> {
  try {
    const user = await check(query.get('token') ?? '');
    users.set(socket, user);
    const room = query.get('room');
    if (room !== null) join(socket, room);
    socket.send(JSON.stringify({ type: 'auth_success', user }));
  } catch {
    socket.close(UNAUTHORIZED);
  }
}

function join(socket: WebSocket, name: string): void {
  const room = rooms.get(name) ?? new Set();
  rooms.set(name, room.add(socket));
  socket.on('close', () => {
    room.delete(socket);
    if (room.size === 0) rooms.delete(name);
  });
}

function say(data: WebSocket.RawData): void {
  for (const watcher of rooms.get(ROOM) ?? [])
    if (watcher.readyState === WebSocket.OPEN) watcher.send(data, { binary: false });
}

serveParent(start);
