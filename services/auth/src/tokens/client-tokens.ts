/**
 * Tokens of fastchat-v1: HS256 with CRYPTOGRAPHY_KEY, claims `client_id`, `type`, `exp`.
 *
 * Source: PROTOCOLS, fastchat-v1. The claim `jti` is ours: two tokens of one second differ.
 */
import { randomUUID } from 'node:crypto';
import type { Principal } from '@natter/proto';
import { type CryptoKey, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { principalOf } from './principal-of.ts';
import { TokenRefused } from './token-refused.ts';

const DAY_S = 86_400;
export const CLIENT_TOKEN_TTL_S = 30 * DAY_S;
export const CLIENT_REFRESH_TTL_S = 365 * DAY_S;

export type ClientTokenType = 'access' | 'refresh';

export interface ClientTokenPair {
  accessToken: string;
  refreshToken: string;
}

export class ClientTokens {
  readonly #key: CryptoKey;
  readonly #clockToleranceS: number;
  readonly #now: () => number;

  /** `key` has at least 32 bytes. */
  static async of(key: string, clockToleranceS: number, now = Date.now): Promise<ClientTokens> {
    const imported = await crypto.subtle.importKey(
      'raw',
      new TextEncoder().encode(key),
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign', 'verify'],
    );
    return new ClientTokens(imported, clockToleranceS, now);
  }

  private constructor(key: CryptoKey, clockToleranceS: number, now: () => number) {
    this.#key = key;
    this.#clockToleranceS = clockToleranceS;
    this.#now = now;
  }

  /**
   * Whether a token is to be judged here, and nowhere else.
   *
   * An access token of a backend may have a `client_id` too (RFC 9068), but then beside a `sub`.
   */
  areLike(token: string): boolean {
    try {
      const { sub, client_id } = decodeJwt(token);
      return decodeProtectedHeader(token).alg === 'HS256' && sub === undefined && client_id !== undefined;
    } catch {
      return false;
    }
  }

  /** Whom a token stands for; throws TokenRefused or an error of jose. */
  async principal(token: string, type: ClientTokenType): Promise<Principal> {
    const { payload } = await jwtVerify(token, this.#key, {
      algorithms: ['HS256'],
      typ: 'JWT',
      requiredClaims: ['client_id', 'type', 'exp'],
      clockTolerance: this.#clockToleranceS,
      currentDate: new Date(this.#now()),
    });
    if (payload.type !== type) throw new TokenRefused('invalid', `the type is not ${type}`);
    const { client_id: sub, exp } = payload;
    const principal = principalOf({
      ...(typeof sub === 'string' ? { sub } : {}),
      ...(exp === undefined ? {} : { exp }),
    });
    if (principal === null) throw new TokenRefused('invalid', 'no usable client id');
    return principal;
  }

  async issue(clientId: string): Promise<ClientTokenPair> {
    const [accessToken, refreshToken] = await Promise.all([
      this.#sign(clientId, 'access', CLIENT_TOKEN_TTL_S),
      this.#sign(clientId, 'refresh', CLIENT_REFRESH_TTL_S),
    ]);
    return { accessToken, refreshToken };
  }

  #sign(clientId: string, type: ClientTokenType, ttlS: number): Promise<string> {
    const exp = Math.floor(this.#now() / 1000) + ttlS;
    return new SignJWT({ client_id: clientId, type, exp, jti: randomUUID() })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(this.#key);
  }
}
