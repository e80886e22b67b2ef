/** Asks a route as the edge would, with a principal whose name is the token. */
import { createLogger } from '@natter/runtime';
import { matchesPath, paramsOf } from '../../src/rest/path-pattern.ts';
import type { Method, Route } from '../../src/rest/route.ts';
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
  const [path = '', query = ''] = url.split('?');
  const route = routes.find((one) => one.method === method && matchesPath(one.path, path));
  if (route === undefined) throw new Error(`no route for ${method} ${path}`);
  const headers: Record<string, string> = { ...asked.headers };
  if (asked.token !== undefined) headers.authorization = `Bearer ${asked.token}`;
  const readable = ['authorization', 'traceparent', 'content-type', ...(route.headers ?? [])];
  const bytes = asked.bytes ?? Buffer.from(asked.body === undefined ? '' : JSON.stringify(asked.body));
  const reply = await route.handle({
    param: (name) => paramsOf(route.path, path)?.get(name) ?? '',
    query: (name) => new URLSearchParams(query).get(name) ?? undefined,
    header: (name) => (readable.includes(name) ? (headers[name] ?? '') : ''),
    body: route.maxBodyBytes === 0 ? new Uint8Array() : bytes,
    pieces: (async function* () {
      if (route.streamsBody) yield bytes;
    })(),
    signal: new AbortController().signal,
  });
  if ('stream' in reply) throw new Error('streamed');
  const text = Buffer.from(reply.body as string).toString();
  return { status: reply.status, headers: reply.headers, body: JSON.parse(text) };
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
