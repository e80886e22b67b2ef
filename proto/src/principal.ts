/** Who a connection acts for, and the messages by which the gateway asks the auth service. */
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { RoomView } from './rooms.ts';

export const Principal = z.object({
  /** Subject of the token; the owner of its conversations. */
  sub: z.string().min(1).max(LIMITS.idBytes),
  email: z.string().max(320).nullable(),
  name: z.string().max(256).nullable(),
  roles: z.array(z.string().max(64)).max(16),
  scopes: z.array(z.string().max(64)).max(64),
  /** Seconds since 1970 at which the token, and with it the connection, ends. */
  expiresAt: z.number().int().positive(),
});
export type Principal = z.infer<typeof Principal>;

/**
 * What a token is shown for: `access` any wire or route, `websocket` rooms-v1 (which takes access
 * tokens as well), `client` and `master` fastchat-v1 (`client` takes access tokens as well),
 * `api_key` logs and administration (which take access tokens as well, for what their roles and
 * scopes allow).
 */
export const TokenUse = z.enum(['access', 'websocket', 'client', 'master', 'api_key']);
export type TokenUse = z.infer<typeof TokenUse>;

export const VerifyRequest = z.object({
  token: z.string().min(1).max(LIMITS.tokenBytes),
  use: TokenUse.default('access'),
  /** Keys of shared and group rooms whoever it stands for wants to come back to. */
  rooms: z.array(z.string().max(1024)).max(16).optional(),
});
export type VerifyRequest = z.infer<typeof VerifyRequest>;

/** Why a token was refused. `unavailable`: the keys could not be had, so nobody can tell. */
export const TokenRefusal = z.enum(['invalid', 'expired', 'unavailable']);
export type TokenRefusal = z.infer<typeof TokenRefusal>;

export const VerifyReply = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    principal: Principal,
    /** Those of the rooms asked for that they may be in now; left out where nobody could tell. */
    rooms: z.array(RoomView).max(16).optional(),
  }),
  z.object({ ok: z.literal(false), reason: TokenRefusal }),
]);
export type VerifyReply = z.infer<typeof VerifyReply>;

/** Most tokens of one request: an answer is far below the 1 MiB that a broker takes at least. */
export const VERIFY_AT_ONCE = 64;

export const VerifyManyRequest = z.object({ asks: z.array(VerifyRequest).min(1).max(VERIFY_AT_ONCE) });
export type VerifyManyRequest = z.infer<typeof VerifyManyRequest>;

/** One answer for each token, in their order; none where the request can't be read. */
export const VerifyManyReply = z.object({ replies: z.array(VerifyReply).max(VERIFY_AT_ONCE) });
export type VerifyManyReply = z.infer<typeof VerifyManyReply>;

/** Development login: any name gets a token, where the auth service has it switched on. */
export const LoginRequest = z.object({
  sub: z.string().min(1).max(LIMITS.idBytes),
  name: z.string().max(256).optional(),
  email: z.string().max(320).optional(),
});
export type LoginRequest = z.infer<typeof LoginRequest>;

export const LoginReply = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), token: z.string(), expiresAt: z.number().int() }),
  z.object({ ok: z.literal(false), reason: z.enum(['disabled', 'invalid']) }),
]);
export type LoginReply = z.infer<typeof LoginReply>;

/** Tokens of the wires that have their own. */
export const IssueRequest = z.discriminatedUnion('kind', [
  /** For rooms-v1, to whoever shows an access token. Source: seeds/004, Authentication. */
  z.object({ kind: z.literal('websocket'), accessToken: z.string().max(LIMITS.tokenBytes) }),
  /** For fastchat-v1, to whoever shows the master token. Source: PROTOCOLS, fastchat-v1. */
  z.object({
    kind: z.literal('client'),
    masterToken: z.string().max(LIMITS.tokenBytes),
    clientId: z
      .string()
      .max(LIMITS.idBytes * 4)
      .nullable(),
  }),
  z.object({ kind: z.literal('refresh'), refreshToken: z.string().max(LIMITS.tokenBytes) }),
]);
export type IssueRequest = z.infer<typeof IssueRequest>;

export const IssueReply = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    sub: z.string(),
    token: z.string(),
    /** Seconds the token is good for. */
    expiresInS: z.number().int().positive(),
    /** Of `client` and `refresh`. */
    refreshToken: z.string().optional(),
  }),
  z.object({
    ok: z.literal(false),
    reason: z.enum(['invalid', 'expired', 'unavailable', 'disabled', 'bad_client_id', 'store_failed']),
  }),
]);
export type IssueReply = z.infer<typeof IssueReply>;

/** RFC 7517 set of the public keys that verify our own tokens. */
export const JwksReply = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });
export type JwksReply = z.infer<typeof JwksReply>;
