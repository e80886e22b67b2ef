/** Who asks over HTTP: the bearer token, verified, and the user's own rate. */
import { LIMITS, type Principal, type TokenUse } from '@natter/proto';
import { continueTrace, type Logger, TRACEPARENT, type Trace } from '@natter/runtime';
import type { AuthClient } from '../bus/auth-client.ts';
import { errorReply, type HttpRequest, type Route } from './route.ts';

export interface SignInDeps {
  auth: Pick<AuthClient, 'verify'>;
  /** Requests of one user on this gateway, apart from their questions; 0, or the seconds to wait. */
  requests: { take(sub: string): number };
  log: Logger;
}

export interface SignedInRequest extends HttpRequest {
  principal: Principal;
  trace: Trace;
}

const REFUSALS = { invalid: 'INVALID_TOKEN', expired: 'TOKEN_EXPIRED', unavailable: 'UNAVAILABLE' } as const;

/** A handler that runs only for requests with a good token of this use, within the user's rate. */
export function signedIn(
  deps: SignInDeps,
  use: TokenUse,
  handle: (request: SignedInRequest) => ReturnType<Route['handle']>,
): Route['handle'] {
  return async (request) => {
    const token = bearerToken(request);
    if (token === null) return errorReply('AUTH_REQUIRED');
    if (token.length > LIMITS.tokenBytes) return errorReply('INVALID_TOKEN');
    const trace = continueTrace(request.header(TRACEPARENT) || undefined);
    const verdict = await deps.auth.verify(token, use).catch((err: unknown) => {
      deps.log.warn({ err, traceId: trace.traceId }, 'a token could not be verified');
      return { ok: false, reason: 'unavailable' } as const;
    });
    if (!verdict.ok) return errorReply(REFUSALS[verdict.reason], { correlationId: trace.traceId });
    const { principal } = verdict;
    const retryAfter = deps.requests.take(principal.sub);
    if (retryAfter > 0) return errorReply('RATE_LIMIT', { retryAfter });
    return handle({ ...request, principal, trace });
  };
}

/** The token of `Authorization: Bearer`, or null where there is none. */
export function bearerToken(request: HttpRequest): string | null {
  const [, token] = /^Bearer\s+(\S.*)$/i.exec(request.header('authorization')) ?? [];
  return token?.trim() ?? null;
}

export function isAdmin(principal: Principal): boolean {
  return principal.roles.includes('admin');
}
