/** Tokens of the wires that have their own: rooms-v1 and fastchat-v1. Source: seeds/004; PROTOCOLS. */
import { ERRORS, type ErrorCode, type IssueReply, LIMITS } from '@natter/proto';
import { isBusError, type Logger } from '@natter/runtime';
import type { AuthClient } from '../bus/auth-client.ts';
import { errorReply, type HttpReply, type HttpRequest, json, type Route } from './route.ts';
import { bearerToken } from './signed-in.ts';

export interface TokenRouteDeps {
  auth: Pick<AuthClient, 'issue'>;
  log: Logger;
}

type Refusal = Extract<IssueReply, { ok: false }>['reason'];

/** Of POST /api/v1/ws/token; the others can't come of it. */
const CODES: Record<Refusal, ErrorCode> = {
  invalid: 'INVALID_TOKEN',
  expired: 'TOKEN_EXPIRED',
  unavailable: 'UNAVAILABLE',
  disabled: 'NOT_FOUND',
  bad_client_id: 'INVALID_FIELD',
  store_failed: 'UNAVAILABLE',
};

export function tokenRoutes(deps: TokenRouteDeps): Route[] {
  return [
    { method: 'POST', path: '/api/v1/ws/token', maxBodyBytes: 0, handle: (request) => ours(deps, request) },
    {
      method: 'GET',
      path: '/auth/token/new',
      maxBodyBytes: 0,
      headers: ['master-token'],
      handle: (request) => newTokens(deps, request),
    },
    {
      method: 'GET',
      path: '/auth/token/refresh',
      maxBodyBytes: 0,
      handle: (request) => refresh(deps, request),
    },
  ];
}

async function ours({ auth }: TokenRouteDeps, request: HttpRequest): Promise<HttpReply> {
  const accessToken = bearerToken(request);
  if (accessToken === null) return errorReply('AUTH_REQUIRED');
  if (accessToken.length > LIMITS.tokenBytes) return errorReply('INVALID_TOKEN');
  const reply = await auth.issue({ kind: 'websocket', accessToken });
  return reply.ok
    ? json(200, { token: reply.token, expires_in: reply.expiresInS })
    : errorReply(CODES[reply.reason]);
}

/** The envelope of the original: rb58853/fastauth-api, routers/auth.py. */
function envelope(status: number, message: string, data?: Record<string, string>): HttpReply {
  return json(status, {
    status: status === 200 ? 'success' : 'error',
    message,
    code: status,
    ...(data === undefined ? {} : { data }),
  });
}

function newTokens(deps: TokenRouteDeps, request: HttpRequest): Promise<HttpReply> | HttpReply {
  const masterToken = request.header('master-token');
  const clientId = request.query('client_id') ?? null;
  if (masterToken === '' || masterToken.length > LIMITS.tokenBytes)
    return envelope(401, 'Invalid master token');
  if (clientId !== null && clientId.length > LIMITS.idBytes) return envelope(400, MESSAGES.bad_client_id);
  return enveloped(deps, { kind: 'client', masterToken, clientId }, 'Invalid master token');
}

function refresh(deps: TokenRouteDeps, request: HttpRequest): Promise<HttpReply> | HttpReply {
  const refreshToken = request.query('refresh_token') ?? '';
  if (refreshToken === '') return envelope(400, 'refresh_token is required');
  if (refreshToken.length > LIMITS.tokenBytes) return envelope(401, 'Invalid refresh token');
  return enveloped(deps, { kind: 'refresh', refreshToken }, 'Invalid refresh token');
}

const MESSAGES = {
  expired: 'Refresh token expired',
  unavailable: ERRORS.UNAVAILABLE.text,
  disabled: ERRORS.NOT_FOUND.text,
  bad_client_id: 'client_id must be a text of 1 to 128 bytes',
  store_failed: 'The token store does not answer',
} as const satisfies Record<Exclude<Refusal, 'invalid'>, string>;

const STATUSES = {
  invalid: 401,
  expired: 401,
  unavailable: 503,
  disabled: 404,
  bad_client_id: 400,
  store_failed: 502,
} as const satisfies Record<Refusal, number>;

async function enveloped(
  { auth, log }: TokenRouteDeps,
  request: Parameters<AuthClient['issue']>[0],
  invalid: string,
): Promise<HttpReply> {
  let reply: IssueReply;
  try {
    reply = await auth.issue(request);
  } catch (err) {
    log.warn({ err }, 'tokens could not be issued');
    return isBusError(err, 'UNAVAILABLE')
      ? envelope(503, MESSAGES.unavailable)
      : envelope(500, ERRORS.INTERNAL.text);
  }
  if (!reply.ok) {
    const message = reply.reason === 'invalid' ? invalid : MESSAGES[reply.reason];
    return envelope(STATUSES[reply.reason], message);
  }
  const { sub, token, refreshToken = '' } = reply;
  return envelope(200, 'Token generated', {
    client_id: sub,
    access_token: token,
    refresh_token: refreshToken,
  });
}
