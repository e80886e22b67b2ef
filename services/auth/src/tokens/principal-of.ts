/** The principal in the claims of a verified token. */
import { isClientId, Principal, RESERVED_SUB_PREFIX } from '@natter/proto';
import type { JWTPayload } from 'jose';

const MAX_ROLES = 16;
const MAX_SCOPES = 64;
const MAX_WORD_CHARS = 64;

/**
 * Null when the claims name nobody: `sub` is no text of 1 to 128 bytes, or one that no token may
 * claim, or `exp` is no usable time.
 *
 * `email` and `name` are for show, so one that doesn't fit is left out. Of roles and scopes, those
 * that don't fit grant nothing; the first 16 and 64 count.
 */
export function principalOf(claims: JWTPayload): Principal | null {
  const { sub, exp, email, name, role, roles, scope } = claims;
  if (typeof sub !== 'string' || !mayBeClaimed(sub) || typeof exp !== 'number') return null;
  const parsed = Principal.safeParse({
    sub,
    email: textUpTo(320, email),
    name: textUpTo(256, name),
    roles: words(Array.isArray(roles) ? roles : [role], MAX_ROLES),
    scopes: words(typeof scope === 'string' ? scope.split(' ') : [], MAX_SCOPES),
    // RFC 7519, section 2: a NumericDate may have a fraction.
    expiresAt: Math.floor(exp),
  });
  return parsed.success ? parsed.data : null;
}

/** Whether a token may have this subject. */
export function mayBeClaimed(sub: string): boolean {
  return isClientId(sub) && !sub.startsWith(RESERVED_SUB_PREFIX);
}

function textUpTo(chars: number, claim: unknown): string | null {
  return typeof claim === 'string' && claim.length <= chars ? claim : null;
}

function words(claim: unknown[], limit: number): string[] {
  const fitting = claim.filter(
    (word): word is string => typeof word === 'string' && word.length > 0 && word.length <= MAX_WORD_CHARS,
  );
  return [...new Set(fitting)].slice(0, limit);
}
