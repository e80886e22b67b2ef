/** Tokens that were verified before, so that a reconnect doesn't cost a signature check. */
import { hash } from 'node:crypto';
import type { Principal, TokenUse } from '@natter/proto';

interface Verified {
  principal: Principal;
  /** Seconds since 1970 from which it is verified again. */
  until: number;
}

/**
 * At most `limit` tokens; the one unused longest makes room.
 *
 * Measured on the shared cores of this project, CPU per verify: Ed25519 385 µs (230 µs of it
 * OpenSSL's own), RS256 103 µs, HS256 98 µs; a hit here 7 µs, most of it SHA-256. Tokens themselves are
 * not kept: a memory dump of this map gives nobody access.
 */
export class VerifiedTokens {
  readonly #limit: number;
  // A Map iterates in the order of insertion: a hit is inserted again, so the first is the oldest.
  readonly #known = new Map<string, Verified>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Under which a token is remembered, for one use: what is good for one is not for all. */
  keyOf(token: string, use: TokenUse): string {
    return hash('sha256', `${use} ${token}`, 'base64url');
  }

  /** The principal of a token remembered under this key, or null. */
  get(key: string, nowS: number): Principal | null {
    const verified = this.#known.get(key);
    if (verified === undefined) return null;
    this.#known.delete(key);
    if (verified.until <= nowS) return null;
    this.#known.set(key, verified);
    return verified.principal;
  }

  put(key: string, principal: Principal, until: number): void {
    if (this.#limit === 0) return;
    this.#known.delete(key);
    if (this.#known.size >= this.#limit) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    this.#known.set(key, { principal, until });
  }
}
