/** Serves the page and lets a test play the gateway, frame by frame. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { loadTestPage } from '../../src/page/test-page.ts';

export type Frame = Record<string, unknown> & { type: string };

export interface ScriptedOptions {
  /** Upgrades wait for it. Default: none waits. */
  gate?: Promise<void>;
  /** Tokens of the development login by `sub`; unset means that it is switched off. */
  logins?: Record<string, string>;
}

/** One socket of the page, seen from the server. */
export interface Peer {
  /** The next frame that the page sends; the time limit of the test bounds the wait. */
  next(): Promise<Frame>;
  send(...frames: Frame[]): void;
  close(code: number, reason: string): void;
  /** Cuts the TCP connection with no close frame. */
  drop(): void;
}

export interface ScriptedServer {
  readonly url: string;
  /** The next socket that the page opens. */
  connection(): Promise<Peer>;
  stop(): Promise<void>;
}

export async function startScriptedServer(options: ScriptedOptions = {}): Promise<ScriptedServer> {
  const page = loadTestPage();
  const peers = arrivals<Peer>();
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer(async (request, response) => {
    if (request.url === '/ws/test') return response.writeHead(200, page.headers).end(page.body);
    const [status, body] = await devLogin(request, options.logins);
    return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  server.on('upgrade', async (request, socket, head) => {
    await options.gate;
    if (request.url !== '/ws/chat') return socket.destroy();
    sockets.handleUpgrade(request, socket, head, (ws) => peers.push(peerOf(ws)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ws/test`,
    connection: peers.next,
    stop: async () => {
      for (const ws of sockets.clients) ws.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function devLogin(
  request: IncomingMessage,
  logins: ScriptedOptions['logins'],
): Promise<[status: number, body: unknown]> {
  if (request.url !== '/api/v1/dev/login') return [404, { error: 'Not found', code: 'NOT_FOUND' }];
  if (request.method === 'GET') return [200, { enabled: logins !== undefined }];
  const { sub } = JSON.parse((await request.toArray()).join('')) as { sub: string };
  const token = logins?.[sub];
  return token === undefined
    ? [403, { error: 'Not allowed', code: 'FORBIDDEN' }]
    : [200, { token, expires_at: 2_000_000_000 }];
}

function peerOf(ws: WebSocket): Peer {
  const frames = arrivals<Frame>();
  ws.on('message', (data) => frames.push(JSON.parse(String(data)) as Frame));
  return {
    next: frames.next,
    send: (...all) => {
      for (const frame of all) ws.send(JSON.stringify(frame));
    },
    close: (code, reason) => ws.close(code, reason),
    drop: () => ws.terminate(),
  };
}

/** What arrives before somebody asks for it waits, and the other way round. */
function arrivals<T>(): { push(item: T): void; next(): Promise<T> } {
  const items: T[] = [];
  const waiting: ((item: T) => void)[] = [];
  return {
    push: (item) => {
      const first = waiting.shift();
      if (first) first(item);
      else items.push(item);
    },
    next: () => {
      const first = items.shift();
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
    },
  };
}
