/** Routes about the service itself: health, keys, the page and its development login. */
import { LoginRequest } from '@natter/proto';
import type { Bus, Logger } from '@natter/runtime';
import type { AuthClient } from '../bus/auth-client.ts';
import type { loadTestPage } from '../page/test-page.ts';
import { errorReply, type HttpReply, json, type Route } from './route.ts';

export interface ServiceRouteDeps {
  bus: Bus;
  auth: AuthClient;
  page: ReturnType<typeof loadTestPage>;
  log: Logger;
  /** Null when this gateway takes new work, else why not. */
  notReady: () => string | null;
  connections: () => number;
  now: () => number;
}

/** How long the keys are remembered: anybody may ask for them. */
const JWKS_MS = 60_000;

export function serviceRoutes(deps: ServiceRouteDeps): Route[] {
  const jwks = remembered(JWKS_MS, deps.now, () => deps.auth.jwks());
  return [
    get('/health', () => health(deps)),
    get('/livez', () => text(200, 'ok\n')),
    get('/readyz', () => {
      const reason = deps.notReady();
      return text(reason === null ? 200 : 503, `${reason ?? 'ok'}\n`);
    }),
    get('/ws/test', () => ({ status: 200, ...deps.page })),
    get('/.well-known/jwks.json', async () =>
      json(200, await jwks(), { 'cache-control': 'public, max-age=300' }),
    ),
    get('/api/v1/dev/login', async () => {
      // Only the auth service knows; the token it may answer with goes nowhere.
      const reply = await deps.auth.login({ sub: 'probe' });
      return json(200, { enabled: reply.ok });
    }),
    {
      method: 'POST',
      path: '/api/v1/dev/login',
      maxBodyBytes: 4_096,
      handle: (request) => login(deps, request.body),
    },
  ];
}

/** The last value while it is young enough, else a new one; one request at a time. */
function remembered<T>(forMs: number, now: () => number, ask: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | null = null;
  let askedAtMs = 0;
  return () => {
    if (value === null || now() - askedAtMs >= forMs) {
      askedAtMs = now();
      value = ask();
      value.catch(() => {
        value = null;
      });
    }
    return value;
  };
}

function get(path: string, handle: Route['handle']): Route {
  return { method: 'GET', path, maxBodyBytes: 0, handle };
}

function text(status: number, body: string): HttpReply {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
    body,
  };
}

/** Source: seeds/001, Troubleshooting. 503 when a question asked now would not be taken. */
function health(deps: ServiceRouteDeps): HttpReply {
  const reason = deps.notReady();
  return json(reason === null ? 200 : 503, {
    status: reason === null ? 'healthy' : 'unhealthy',
    ...(reason === null ? {} : { reason }),
    services: { gateway: 'healthy', broker: deps.bus.connected ? 'healthy' : 'unreachable' },
    active_connections: deps.connections(),
  });
}

async function login(deps: ServiceRouteDeps, body: Uint8Array): Promise<HttpReply> {
  let request: LoginRequest;
  try {
    request = LoginRequest.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return errorReply('INVALID_FIELD');
  }
  const reply = await deps.auth.login(request);
  if (reply.ok) return json(200, { token: reply.token, expires_at: reply.expiresAt });
  return errorReply(reply.reason === 'disabled' ? 'NOT_FOUND' : 'INVALID_FIELD');
}
