/** API keys: for programs that read or write logs, or administrate. Made and judged by the auth service. */
import { z } from 'zod';
import { RESERVED_SUB_PREFIX } from './ids.ts';

export const ApiScope = z.enum(['logs:read', 'logs:write', 'admin']);
export type ApiScope = z.infer<typeof ApiScope>;

const KeyId = z.string().regex(/^[a-z0-9]{16}$/);
export const KeyName = z.string().min(1).max(64);

/** The text of a key: `nk_<id>_<43 characters of base64url>`; 256 bits are random. */
export const API_KEY_PREFIX = 'nk_';

/** What anybody may know of a key: never the key. Times are milliseconds since 1970. */
export const ApiKeyInfo = z.object({
  id: KeyId,
  name: KeyName,
  scopes: z.array(ApiScope).min(1).max(3),
  createdAt: z.number().int().nonnegative(),
  /** Null: never. */
  expiresAt: z.number().int().positive().nullable(),
});
export type ApiKeyInfo = z.infer<typeof ApiKeyInfo>;

/** On `SUBJECTS.authApiKeys`; the gateway has seen that an admin asks. */
export const ApiKeysRequest = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('create'),
    name: KeyName,
    scopes: z.array(ApiScope).min(1).max(3),
    /** Unset: never. */
    ttlS: z
      .number()
      .int()
      .positive()
      .max(10 * 366 * 86_400)
      .optional(),
  }),
  z.object({ op: z.literal('list') }),
  z.object({ op: z.literal('revoke'), id: KeyId }),
]);
export type ApiKeysRequest = z.infer<typeof ApiKeysRequest>;

export const ApiKeysReply = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    /** Of `create`: the key, this once; nobody can read it again. */
    key: z.string().optional(),
    /** The one that was created, those that exist, or the one that was revoked. */
    keys: z.array(ApiKeyInfo).max(1_000),
  }),
  z.object({ ok: z.literal(false), reason: z.enum(['invalid', 'not_found', 'too_many', 'unavailable']) }),
]);
export type ApiKeysReply = z.infer<typeof ApiKeysReply>;

/** `sub` of the principal behind a key; LOGS_API_KEY has the id `environment`. */
export function apiKeySub(id: string): string {
  return `${RESERVED_SUB_PREFIX}key:${id}`;
}

/** The id of the key behind a principal, or null for anybody else. */
export function apiKeyOf(sub: string): string | null {
  const prefix = apiKeySub('');
  return sub.startsWith(prefix) ? sub.slice(prefix.length) : null;
}
