/** Asks a route as the edge would, with a principal whose name is the token. */
import { createLogger } from '@natter/runtime';
import { matchesPath, paramsOf } from '../../src/rest/path-pattern.ts';
import {
  BodyTooLarge,
  type HttpReply,
  type Method,
  type Route,
  type StreamReply,
} from '../../src/rest/route.ts';
import type { SignInDeps } from '../../src/rest/signed-in.ts';

export interface Asked {
  status: number;
  headers: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: the body of any route
  body: any;
}

export interface Ask {
  token?: string;
  headers?: Record<string, string>;
  body?: unknown;
  /** Instead of `body`. */
  bytes?: Uint8Array;
}

export async function ask(
  routes: readonly Route[],
  method: Method,
  url: string,
  asked: Ask = {},
): Promise<Asked> {
  const reply = await handled(routes, method, url, asked);
  if ('stream' in reply) throw new Error('the reply is streamed: use askStream');
  const { status, headers } = reply;
  const text = Buffer.from(reply.body as string).toString();
  const isJson = headers['content-type']?.startsWith('application/json') ?? false;
  return { status, headers, body: isJson ? JSON.parse(text) : text };
}

/** A streamed reply, and the client that gets it. */
export interface Streamed {
  status: number;
  headers: Record<string, string>;
  length: number | null;
  /** What was written so far. */
  readonly pieces: Buffer[];
  readonly text: string;
  /** Resolves when the route has ended the body. */
  ended: Promise<void>;
  /** From here on the client takes nothing, until `take`. */
  stall(): void;
  take(): void;
  /** The client goes, or the gateway stops. */
  abort(): void;
}

export async function askStream(
  routes: readonly Route[],
  method: Method,
  url: string,
  asked: Ask = {},
): Promise<Streamed> {
  const reply = await handled(routes, method, url, asked);
  if (!('stream' in reply)) throw new Error(`answered ${reply.status} ${reply.body}, not with a stream`);
  const { status, headers, length } = reply;
  const pieces: Buffer[] = [];
  const abort = new AbortController();
  const ended = Promise.withResolvers<void>();
  let room = Promise.withResolvers<void>();
  room.resolve();
  let stalled = false;
  let waiting = 0;
  const take = () => {
    stalled = false;
    waiting = 0;
    room.resolve();
  };
  abort.signal.addEventListener('abort', take);
  void reply.stream({
    write(piece) {
      if (abort.signal.aborted) return true;
      pieces.push(Buffer.from(piece as string));
      if (stalled) waiting += Buffer.byteLength(piece);
      return !stalled;
    },
    drained: () => room.promise,
    buffered: () => waiting,
    end: () => ended.resolve(),
    signal: abort.signal,
  });
  return {
    ...{ status, headers, length, pieces, ended: ended.promise, take },
    get text() {
      return Buffer.concat(pieces).toString();
    },
    stall() {
      stalled = true;
      room = Promise.withResolvers();
    },
    abort: () => abort.abort(),
  };
}

async function handled(
  routes: readonly Route[],
  method: Method,
  url: string,
  asked: Ask,
): Promise<HttpReply | StreamReply> {
  const [path = '', query = ''] = url.split('?');
  const route = routes.find((one) => one.method === method && matchesPath(one.path, path));
  if (route === undefined) throw new Error(`no route for ${method} ${path}`);
  const headers: Record<string, string> = { ...asked.headers };
  if (asked.token !== undefined) headers.authorization = `Bearer ${asked.token}`;
  const readable = ['authorization', 'traceparent', 'content-type', ...(route.headers ?? [])];
  const bytes = asked.bytes ?? Buffer.from(asked.body === undefined ? '' : JSON.stringify(asked.body));
  const streamed = route.streamsBody === true;
  return await route.handle({
    param: (name) => paramsOf(route.path, path)?.get(name) ?? '',
    query: (name) => new URLSearchParams(query).get(name) ?? undefined,
    header: (name) => (readable.includes(name) ? (headers[name] ?? '') : ''),
    body: streamed || route.maxBodyBytes === 0 ? new Uint8Array() : bytes,
    pieces: streamed ? piecesOf(bytes, route.maxBodyBytes) : piecesOf(new Uint8Array(), 0),
    signal: new AbortController().signal,
  });
}

/** In pieces of 64 KiB; throws behind the limit, as the edge does. */
async function* piecesOf(bytes: Uint8Array, maxBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 65_536) {
    if (Math.min(at + 65_536, bytes.byteLength) > maxBytes) throw new BodyTooLarge();
    yield bytes.subarray(at, at + 65_536);
  }
}

/** A token `admin:<sub>` has the role admin; `bad`, `old` and `nobody knows` are refused. */
export function signIn(): SignInDeps {
  const refused = { bad: 'invalid', old: 'expired', down: 'unavailable' } as const;
  return {
    auth: {
      verify: async (token, use) => {
        if (token in refused) return { ok: false, reason: refused[token as keyof typeof refused] };
        if (use !== 'websocket') return { ok: false, reason: 'invalid' };
        const sub = token.replace(/^admin:/, '');
        const roles = token === sub ? [] : ['admin'];
        const principal = {
          sub,
          email: null,
          name: `Name of ${sub}`,
          roles,
          scopes: [],
          expiresAt: 4_000_000_000,
        };
        return { ok: true, principal };
      },
    },
    requests: { take: (sub) => (sub === 'hasty' ? 7 : 0) },
    log: createLogger('gateway', 'silent'),
  };
}
