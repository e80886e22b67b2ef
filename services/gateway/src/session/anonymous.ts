/** Who acts on a session without a token: whoever knows its name is in it. */
import { createHash } from 'node:crypto';
import { type Principal, RESERVED_SUB_PREFIX } from '@natter/proto';

/** It lasts as long as its socket, a day at most. */
const LASTS_MS = 24 * 60 * 60 * 1_000;

/** A principal that no token can name: the digest is of the session's id, which may be long. */
export function anonymous(session: string, nowMs: number): Principal {
  const digest = createHash('sha256').update(session).digest('hex').slice(0, 32);
  return {
    sub: `${RESERVED_SUB_PREFIX}session:${digest}`,
    email: null,
    name: null,
    roles: [],
    scopes: [],
    expiresAt: Math.floor((nowMs + LASTS_MS) / 1_000),
  };
}
