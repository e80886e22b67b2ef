/** Tells whether a token is good, and whom it stands for. The hot path of this service. */
import { LIMITS, type Principal, type VerifyReply } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import { decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import type { KeySource, TokenHeader } from '../keys/key-source.ts';
import { type KeySources, sourceFor } from '../keys/key-sources.ts';
import { principalOf } from './principal-of.ts';
import { refusal, TokenRefused } from './token-refused.ts';
import { VerifiedTokens } from './verified-tokens.ts';

export interface VerifierOptions {
  clockToleranceS: number;
  /** Tokens to remember; 0 for none. */
  verifiedTokens: number;
  log: Logger;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Values of the claim `type` that are good for a use. */
const TYPES = { access: ['access'], websocket: ['access', 'websocket'] };
export type PersonalUse = keyof typeof TYPES;

export class TokenVerifier {
  readonly #sources: KeySources;
  readonly #options: VerifierOptions;
  readonly #verified: VerifiedTokens;
  readonly #now: () => number;
  #hits = 0;

  constructor(sources: KeySources, options: VerifierOptions) {
    this.#sources = sources;
    this.#options = options;
    this.#verified = new VerifiedTokens(options.verifiedTokens);
    this.#now = options.now ?? Date.now;
  }

  /** Tokens that are remembered now, and how often one of them was asked for. */
  get remembered(): { tokens: number; hits: number } {
    return { tokens: this.#verified.size, hits: this.#hits };
  }

  /** Never throws on account of a token. */
  async verify(token: string, use: PersonalUse = 'access'): Promise<VerifyReply> {
    try {
      return { ok: true, principal: await this.principal(token, use) };
    } catch (error) {
      return refusal(error, this.#options.log);
    }
  }

  /** Whom a token stands for; throws TokenRefused, or whatever `asRefused` knows. */
  async principal(token: string, use: PersonalUse): Promise<Principal> {
    if (Buffer.byteLength(token) > LIMITS.tokenBytes) throw new TokenRefused('invalid', 'too long');
    // Whatever can change while a token lives, such as a revocation, is asked after this line.
    return this.#principal(token, use);
  }

  async #principal(token: string, use: PersonalUse): Promise<Principal> {
    const key = this.#verified.keyOf(token, use);
    const known = this.#verified.get(key, this.#now() / 1000);
    if (known !== null) {
      this.#hits += 1;
      return known;
    }
    const { header, issuer } = look(token);
    const source = sourceFor(this.#sources, header, issuer);
    if (source === null) throw new TokenRefused('invalid', 'signed by nobody we trust');
    const principal = principalOf(await this.#check(token, header, source, use));
    if (principal === null) throw new TokenRefused('invalid', 'no usable subject');
    this.#verified.put(key, principal, Math.min(principal.expiresAt, this.#now() / 1000 + source.rememberS));
    return principal;
  }

  async #check(token: string, header: TokenHeader, source: KeySource, use: PersonalUse): Promise<JWTPayload> {
    const key = await source.key(header);
    if (key === null) throw new TokenRefused('invalid', `no such key: ${source.name}`);
    const { payload } = await jwtVerify(token, key, {
      algorithms: [...source.algorithms],
      typ: source.typ,
      ...(source.issuer === null ? {} : { issuer: source.issuer }),
      ...(source.audience === null ? {} : { audience: source.audience }),
      requiredClaims: [...source.requiredClaims],
      clockTolerance: this.#options.clockToleranceS,
      currentDate: new Date(this.#now()),
    });
    // RFC 7519, section 4.1.3: a token for a named audience is not for whoever has no name.
    if (source.audience === null && payload.aud !== undefined)
      throw new TokenRefused('invalid', 'has an audience');
    if (source.issuer === null && payload.iss !== undefined)
      throw new TokenRefused('invalid', 'has an issuer');
    const type = payload.type ?? (source.typeRequired ? undefined : 'access');
    if (typeof type !== 'string' || !TYPES[use].includes(type))
      throw new TokenRefused('invalid', `the type is not for ${use}`);
    return payload;
  }
}

/** Reads who may judge the token, without believing any of it. */
function look(token: string): { header: TokenHeader; issuer: unknown } {
  const { alg, kid, crit, issuer } = decode(token);
  if (typeof alg !== 'string') throw new TokenRefused('invalid', 'no algorithm');
  if (kid !== undefined && typeof kid !== 'string')
    throw new TokenRefused('invalid', 'the key id is no text');
  // RFC 7515, section 4.1.11: we know no extension, so none may be critical.
  if (crit !== undefined) throw new TokenRefused('invalid', 'critical extensions');
  return { header: kid === undefined ? { alg } : { alg, kid }, issuer };
}

function decode(token: string): { alg?: unknown; kid?: unknown; crit?: unknown; issuer?: unknown } {
  try {
    const { alg, kid, crit } = decodeProtectedHeader(token);
    return { alg, kid, crit, issuer: decodeJwt(token).iss };
  } catch (error) {
    throw new TokenRefused('invalid', 'no JSON Web Token', error);
  }
}
