/** Asks a route as the edge would, body and answer in pieces. */
import { matchesPath, paramsOf } from '../../src/rest/path-pattern.ts';
import type { BodyWriter, Method, Route } from '../../src/rest/route.ts';

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** What a streamed answer said it would have. */
  length: number | null;
}

export interface RawAsk {
  token?: string;
  headers?: Record<string, string>;
  pieces?: readonly (Uint8Array | string)[];
  writer?: Partial<BodyWriter>;
}

export async function askRaw(
  routes: readonly Route[],
  method: Method,
  url: string,
  { token, headers = {}, pieces = [], writer = {} }: RawAsk = {},
): Promise<RawAnswer> {
  const [path = '', query = ''] = url.split('?');
  const route = routes.find((one) => one.method === method && matchesPath(one.path, path));
  if (route === undefined) throw new Error(`no route for ${method} ${path}`);
  const sent = { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const readable = ['authorization', 'traceparent', 'content-type', ...(route.headers ?? [])];
  const reply = await route.handle({
    param: (name) => paramsOf(route.path, path)?.get(name) ?? '',
    query: (name) => new URLSearchParams(query).get(name) ?? undefined,
    header: (name) => (readable.includes(name) ? ((sent as Record<string, string>)[name] ?? '') : ''),
    body: new Uint8Array(),
    pieces: (async function* () {
      if (route.streamsBody) for (const piece of pieces) yield Buffer.from(piece as string);
    })(),
    signal: new AbortController().signal,
  });
  const { status } = reply;
  if (!('stream' in reply))
    return { status, headers: reply.headers, body: Buffer.from(reply.body as string), length: null };
  const written: Uint8Array[] = [];
  await reply.stream({
    write: (piece) => {
      written.push(Buffer.from(piece as string));
      return true;
    },
    drained: async () => undefined,
    buffered: () => 0,
    end: () => undefined,
    signal: new AbortController().signal,
    ...writer,
  });
  return { status, headers: reply.headers, body: Buffer.concat(written), length: reply.length };
}

export function codeOf({ body }: RawAnswer): string | null {
  return body.length === 0 ? null : JSON.parse(body.toString()).code;
}
