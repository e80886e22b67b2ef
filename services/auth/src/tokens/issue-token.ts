/** Issues access tokens signed by our own key. */
import { randomUUID } from 'node:crypto';
import { isClientId, LIMITS, RESERVED_SUB_PREFIX } from '@natter/proto';
import { SignJWT } from 'jose';
import { OWN_ALGORITHM, OWN_TYP, type OwnKeys } from '../keys/own-keys.ts';

export interface TokenRequest {
  sub: string;
  email: string | null;
  name: string | null;
  roles: string[];
  /** Claim `type`: for any wire, or for rooms-v1 only. */
  type?: 'access' | 'websocket';
  ttlS: number;
}

export interface IssuedToken {
  token: string;
  /** Seconds since 1970. */
  expiresAt: number;
}

/** What was asked for doesn't fit into a token that we would accept. */
export class UnfitToken extends Error {
  readonly code = 'UNFIT_TOKEN';
  constructor(message: string) {
    super(message);
    this.name = 'UnfitToken';
  }
}

/**
 * Signs the claims of seeds/001 (`sub,email,name,type,exp,iat`) with those of RFC 9068.
 *
 * Throws UnfitToken when the subject is no id of a person or the token would be over LIMITS.tokenBytes.
 */
export async function issueToken(
  request: TokenRequest,
  keys: OwnKeys,
  names: { issuer: string; audience: string },
  now = Date.now,
): Promise<IssuedToken> {
  if (!isClientId(request.sub)) throw new UnfitToken(`the subject must have 1 to ${LIMITS.idBytes} bytes`);
  if (request.sub.startsWith(RESERVED_SUB_PREFIX))
    throw new UnfitToken(`the subject must not begin with ${RESERVED_SUB_PREFIX}`);
  const issuedAt = Math.floor(now() / 1000);
  const expiresAt = issuedAt + request.ttlS;
  const token = await new SignJWT({
    sub: request.sub,
    ...(request.email === null ? {} : { email: request.email }),
    ...(request.name === null ? {} : { name: request.name }),
    type: request.type ?? 'access',
    ...(request.roles.length === 0 ? {} : { roles: request.roles }),
    iss: names.issuer,
    aud: names.audience,
    iat: issuedAt,
    exp: expiresAt,
    jti: randomUUID(),
  })
    .setProtectedHeader({ alg: OWN_ALGORITHM, typ: OWN_TYP, kid: keys.signing.kid })
    .sign(keys.signing.key);
  if (token.length > LIMITS.tokenBytes)
    throw new UnfitToken(`the token would have more than ${LIMITS.tokenBytes} bytes`);
  return { token, expiresAt };
}
