/** An edge on a port of its own, with the routes and sockets of a test. */
import { type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { connect as dial, type Socket } from 'node:net';
import { createLogger, Metrics } from '@natter/runtime';
import { Edge, type EdgeOptions } from '../../src/edge/server.ts';
import { registerGatewayMetrics } from '../../src/metrics.ts';
import type { Route } from '../../src/rest/route.ts';
import type { SocketRoute } from '../../src/session/socket-session.ts';

export interface EdgeRig {
  edge: Edge;
  port: number;
  /** Sends a request on a connection of its own; the body is the caller's to write. */
  begin(method: string, path: string, options?: RequestOptions): ClientRequest;
  /** A bare connection that collects what comes as text. */
  raw(): RawClient;
}

export interface RawClient {
  socket: Socket;
  /** All that came. */
  readonly text: string;
  /** Resolves when that holds the words so often. */
  saw(words: string, times?: number): Promise<void>;
  closed: Promise<void>;
}

export async function startEdge(
  routes: readonly Route[],
  { sockets = [], ...options }: Partial<EdgeOptions> & { sockets?: readonly SocketRoute[] } = {},
): Promise<EdgeRig> {
  const edge: Edge = new Edge(
    {
      host: '127.0.0.1',
      port: 0,
      sharePort: false,
      allowedOrigins: [],
      localhostAllowed: false,
      trustedProxies: [],
      maxConnections: 10,
      maxConnectionsPerAddress: 10,
      hardBufferBytes: 65_536,
      heartbeatSeconds: 30,
      ...options,
    },
    {
      sockets,
      routes,
      metrics: registerGatewayMetrics(new Metrics('gateway'), {
        ...{ connections: () => 0, runs: () => 0, setAside: () => 0, logReaders: () => 0, logFeeds: () => 0 },
      }),
      log: createLogger('gateway', 'silent'),
    },
  );
  const port = await edge.listen();
  return {
    edge,
    port,
    begin: (method, path, more = {}) =>
      request({ host: '127.0.0.1', port, method, path, agent: false, ...more }),
    raw: () => rawClient(port),
  };
}

/** The reply to a request, whose end may be on its way still. */
export function replyTo(asked: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  asked.once('response', resolve);
  asked.on('error', reject);
  return promise;
}

/** The whole body; rejects when it was cut off. */
export async function bodyOf(reply: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of reply) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Bytes in which every offset can be told from its neighbours. */
export function numbered(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32BE(at, at);
  return bytes;
}

function rawClient(port: number): RawClient {
  const socket = dial(port, '127.0.0.1');
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const waiting = new Set<() => void>();
  const client = {
    socket,
    text: '',
    closed,
    saw(words: string, times = 1) {
      const seen = Promise.withResolvers<void>();
      const look = () => client.text.split(words).length > times && seen.resolve();
      waiting.add(look);
      look();
      return seen.promise;
    },
  };
  socket.on('data', (bytes) => {
    client.text += bytes;
    for (const look of waiting) look();
  });
  // A reset is an end like any other.
  socket.on('error', () => {});
  socket.on('close', () => resolve());
  return client;
}
