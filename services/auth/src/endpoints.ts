/** The endpoints of the auth service: what comes in is parsed, what goes out is a schema's. */
import {
  type JwksReply,
  LIMITS,
  type LoginReply,
  LoginRequest,
  SUBJECTS,
  type VerifyReply,
  VerifyRequest,
} from '@natter/proto';
import type { BusMessage, Endpoint, Logger, Metrics } from '@natter/runtime';
import type { AuthConfig } from './config.ts';
import type { OwnKeys } from './keys/own-keys.ts';
import { registerAuthMetrics } from './metrics.ts';
import { issueToken, UnfitToken } from './tokens/issue-token.ts';
import type { TokenVerifier } from './tokens/token-verifier.ts';

/**
 * Requests under way at once; one more is answered `unavailable`, so that the gateway's client
 * comes back, rather than waiting behind a second of signature checks.
 */
const MAX_UNDER_WAY = 2_000;
/** A token whose every byte is escaped in JSON, and the rest of the object. */
const MAX_REQUEST_BYTES = LIMITS.tokenBytes * 6 + 1_024;
/** Long enough for a day at the page, short enough that a leaked one is soon worth nothing. */
const DEV_LOGIN_TTL_S = 8 * 3600;

export interface EndpointParts {
  config: Pick<AuthConfig, 'devLogin' | 'issuer' | 'audience'>;
  keys: OwnKeys;
  verifier: TokenVerifier;
  metrics: Metrics;
  log: Logger;
}

export function authEndpoints(parts: EndpointParts): Endpoint[] {
  const jwks = JSON.stringify({ keys: parts.keys.jwks } satisfies JwksReply);
  const verify = verifyEndpoint(parts);
  return [
    { name: 'verify', subject: SUBJECTS.authVerify, handle: verify },
    {
      name: 'login',
      subject: SUBJECTS.authLogin,
      handle: async (request) => JSON.stringify(await login(request, parts)),
    },
    { name: 'jwks', subject: SUBJECTS.authJwks, handle: () => jwks },
  ];
}

function verifyEndpoint({ verifier, metrics }: EndpointParts): (request: BusMessage) => Promise<string> {
  let underWay = 0;
  const { verifications, seconds } = registerAuthMetrics(metrics, {
    underWay: () => underWay,
    rememberedTokens: () => verifier.remembered.tokens,
    rememberedHits: () => verifier.remembered.hits,
  });

  const answer = async (request: BusMessage): Promise<VerifyReply> => {
    if (underWay >= MAX_UNDER_WAY) return { ok: false, reason: 'unavailable' };
    const asked = VerifyRequest.safeParse(readJson(request));
    if (!asked.success) return { ok: false, reason: 'invalid' };
    underWay += 1;
    const endTimer = seconds.startTimer();
    try {
      return await verifier.verify(asked.data.token);
    } finally {
      underWay -= 1;
      endTimer();
    }
  };
  return async (request) => {
    const reply = await answer(request);
    verifications.inc({ result: reply.ok ? 'ok' : reply.reason });
    return JSON.stringify(reply);
  };
}

/** Any name gets a token, but never a role: whoever administrates signs in another way. */
async function login(request: BusMessage, { config, keys, log }: EndpointParts): Promise<LoginReply> {
  if (!config.devLogin) return { ok: false, reason: 'disabled' };
  const asked = LoginRequest.safeParse(readJson(request));
  if (!asked.success) return { ok: false, reason: 'invalid' };
  const { sub, email = null, name = null } = asked.data;
  try {
    return {
      ok: true,
      ...(await issueToken({ sub, email, name, roles: [], ttlS: DEV_LOGIN_TTL_S }, keys, config)),
    };
  } catch (error) {
    if (!(error instanceof UnfitToken)) throw error;
    log.debug({ err: error }, 'a login was refused');
    return { ok: false, reason: 'invalid' };
  }
}

/** What the bytes say, or undefined where they are too many or no JSON; the schemas refuse that. */
function readJson(request: BusMessage): unknown {
  if (request.data.byteLength > MAX_REQUEST_BYTES) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(request.data));
  } catch {
    return undefined;
  }
}
