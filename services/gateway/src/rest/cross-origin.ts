/** Lets pages of allowed Origins use routes: CORS. Source: the Fetch standard, section 3.3. */
import { isBusError } from '@natter/runtime';
import { errorReply, type HttpReply, type Method, type Route, type StreamReply } from './route.ts';

export interface CrossOriginRule {
  /** The Origins that may open WebSockets. */
  origins: { allows(origin: string): boolean };
  /** Request headers that a page may send. */
  headers: readonly string[];
  /** Headers of the answer that a page may read. */
  exposed: readonly string[];
  /** Headers of every answer to OPTIONS. */
  options?: Record<string, string>;
}

/** How long a browser may remember an answer, in seconds; more none of them does. */
const MAX_AGE_S = 7_200;

/** The routes with the headers a page needs, and for each of their paths one that answers OPTIONS. */
export function crossOrigin(rule: CrossOriginRule, routes: readonly Route[]): Route[] {
  const paths = new Set(routes.map(({ path }) => path));
  const options = [...paths].map((path): Route => {
    const methods = routes.flatMap((route) => (route.path === path ? methodsOf(route.method) : []));
    return {
      method: 'OPTIONS',
      path,
      maxBodyBytes: 0,
      headers: ['origin'],
      handle: ({ header }) => ({
        status: 204,
        headers: { ...rule.options, ...allowed(rule, header('origin'), methods) },
        body: '',
      }),
    };
  });
  return [...routes.map((route) => answering(rule, route)), ...options];
}

/** The edge answers HEAD where there is a GET. */
function methodsOf(method: Method): Method[] {
  return method === 'GET' ? ['GET', 'HEAD'] : [method];
}

function answering(rule: CrossOriginRule, route: Route): Route {
  return {
    ...route,
    headers: [...(route.headers ?? []), 'origin'],
    handle: async (request) => {
      const reply = await orUnavailable(() => route.handle(request));
      return { ...reply, headers: { ...reply.headers, ...readable(rule, request.header('origin')) } };
    },
  };
}

/** Without these headers a page would not be told more than that something failed. */
async function orUnavailable(handle: () => ReturnType<Route['handle']>): Promise<HttpReply | StreamReply> {
  try {
    return await handle();
  } catch (error) {
    if (isBusError(error, 'UNAVAILABLE')) return errorReply('UNAVAILABLE');
    throw error;
  }
}

function readable(rule: CrossOriginRule, origin: string): Record<string, string> {
  // A cache must not show one page what another one got.
  const headers = { vary: 'Origin' };
  if (origin === '' || !rule.origins.allows(origin)) return headers;
  return {
    ...headers,
    'access-control-allow-origin': origin,
    'access-control-expose-headers': rule.exposed.join(', '),
  };
}

function allowed(rule: CrossOriginRule, origin: string, methods: readonly Method[]): Record<string, string> {
  if (origin === '' || !rule.origins.allows(origin)) return { vary: 'Origin' };
  return {
    vary: 'Origin',
    'access-control-allow-origin': origin,
    'access-control-allow-methods': methods.join(', '),
    'access-control-allow-headers': rule.headers.join(', '),
    'access-control-max-age': String(MAX_AGE_S),
  };
}
