/** The endpoints of the auth service: what comes in is parsed, what goes out is a schema's. */
import {
  type IssueReply,
  IssueRequest,
  type JwksReply,
  LIMITS,
  type LoginReply,
  LoginRequest,
  SUBJECTS,
  VERIFY_AT_ONCE,
  type VerifyManyReply,
  VerifyManyRequest,
  type VerifyReply,
  VerifyRequest,
} from '@natter/proto';
import type { BusMessage, Endpoint, Logger, Metrics } from '@natter/runtime';
import type { ApiKeys } from './api-keys/api-keys.ts';
import { apiKeysEndpoint } from './api-keys/api-keys-endpoint.ts';
import type { AuthConfig } from './config.ts';
import type { OwnKeys } from './keys/own-keys.ts';
import { type AuthMetrics, registerAuthMetrics } from './metrics.ts';
import { requestJson } from './request-json.ts';
import { accessEndpoint } from './rooms/access-endpoint.ts';
import type { Rooms } from './rooms/rooms.ts';
import { roomsEndpoint } from './rooms/rooms-endpoint.ts';
import { addRooms } from './rooms/rooms-of-tokens.ts';
import type { StoreOpener } from './rooms/stores.ts';
import { issueToken, UnfitToken } from './tokens/issue-token.ts';
import type { TokenIssuer } from './tokens/token-issuer.ts';
import type { TokenUses } from './tokens/token-uses.ts';
import type { TokenVerifier } from './tokens/token-verifier.ts';

/**
 * Requests under way at once; one more is answered `unavailable`, so that the gateway's client
 * comes back, rather than waiting behind a second of signature checks.
 */
const MAX_UNDER_WAY = 2_000;
/** A token whose every byte is escaped in JSON, 16 rooms, and the rest of the object. */
const MAX_REQUEST_BYTES = LIMITS.tokenBytes * 6 + 16 * 1_100 + 4_096;
/** What stands for a request that can't be read: it is refused as invalid. */
const NO_TOKEN: VerifyRequest = { token: '', use: 'access' };
/** Long enough for a day at the page, short enough that a leaked one is soon worth nothing. */
const DEV_LOGIN_TTL_S = 8 * 3600;

export interface EndpointParts {
  config: Pick<AuthConfig, 'devLogin' | 'issuer' | 'audience'>;
  keys: OwnKeys;
  verifier: Pick<TokenVerifier, 'remembered'>;
  uses: TokenUses;
  issuer: TokenIssuer;
  apiKeys: Pick<ApiKeys, 'answer'>;
  rooms: Rooms;
  stores: Pick<StoreOpener, 'open'>;
  metrics: Metrics;
  log: Logger;
}

export function authEndpoints(parts: EndpointParts): Endpoint[] {
  const jwks = JSON.stringify({ keys: parts.keys.jwks } satisfies JwksReply);
  let underWay = 0;
  const counters = registerAuthMetrics(parts.metrics, {
    underWay: () => underWay,
    rememberedTokens: () => parts.verifier.remembered.tokens,
    rememberedHits: () => parts.verifier.remembered.hits,
  });
  /** `busy` when too much is under way. */
  const bounded = async <T>(busy: T, work: () => Promise<T>): Promise<T> => {
    if (underWay >= MAX_UNDER_WAY) return busy;
    underWay += 1;
    try {
      return await work();
    } finally {
      underWay -= 1;
    }
  };
  const unavailable = { ok: false, reason: 'unavailable' } as const;
  const { rooms, stores, apiKeys, log } = parts;
  const count = (op: string, result: string) => counters.rooms.inc({ op, result });
  const aboutRooms = { rooms, stores, log, count };
  const verify = async (asks: readonly VerifyRequest[]): Promise<VerifyReply[]> => {
    const judged = asks.map(async (ask) => {
      const reply = await bounded<VerifyReply>(unavailable, () => judge(ask, parts, counters));
      counters.verifications.inc({ result: reply.ok ? 'ok' : reply.reason });
      return reply;
    });
    return addRooms(asks, await Promise.all(judged), aboutRooms);
  };
  return [
    {
      name: 'verify',
      subject: SUBJECTS.authVerify,
      handle: async (request) => {
        const asked = VerifyRequest.safeParse(requestJson(request, MAX_REQUEST_BYTES));
        const [reply] = await verify(asked.success ? [asked.data] : [NO_TOKEN]);
        return JSON.stringify(reply);
      },
    },
    {
      name: 'verify_many',
      subject: SUBJECTS.authVerifyMany,
      handle: async (request) => {
        const asked = VerifyManyRequest.safeParse(requestJson(request, MAX_REQUEST_BYTES * VERIFY_AT_ONCE));
        const replies = await verify(asked.success ? asked.data.asks : []);
        return JSON.stringify({ replies } satisfies VerifyManyReply);
      },
    },
    {
      name: 'login',
      subject: SUBJECTS.authLogin,
      handle: async (request) => JSON.stringify(await login(request, parts)),
    },
    {
      name: 'issue',
      subject: SUBJECTS.authIssue,
      handle: async (request) =>
        JSON.stringify(await bounded<IssueReply>(unavailable, () => issue(request, parts, counters))),
    },
    { name: 'jwks', subject: SUBJECTS.authJwks, handle: () => jwks },
    roomsEndpoint(aboutRooms),
    accessEndpoint(aboutRooms),
    apiKeysEndpoint({ apiKeys, log, count: (op, result) => counters.apiKeys.inc({ op, result }) }),
  ];
}

async function judge(
  { token, use }: VerifyRequest,
  { uses }: EndpointParts,
  { seconds }: AuthMetrics,
): Promise<VerifyReply> {
  const endTimer = seconds.startTimer();
  try {
    return await uses.verify(token, use);
  } finally {
    endTimer();
  }
}

async function issue(
  request: BusMessage,
  { issuer }: EndpointParts,
  { issued }: AuthMetrics,
): Promise<IssueReply> {
  const asked = IssueRequest.safeParse(requestJson(request, MAX_REQUEST_BYTES));
  const reply: IssueReply = asked.success ? await issuer.issue(asked.data) : { ok: false, reason: 'invalid' };
  const kind = asked.success ? asked.data.kind : 'unknown';
  issued.inc({ kind, result: reply.ok ? 'ok' : reply.reason });
  return reply;
}

/** Any name gets a token, but never a role: whoever administrates signs in another way. */
async function login(request: BusMessage, { config, keys, log }: EndpointParts): Promise<LoginReply> {
  if (!config.devLogin) return { ok: false, reason: 'disabled' };
  const asked = LoginRequest.safeParse(requestJson(request, MAX_REQUEST_BYTES));
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
