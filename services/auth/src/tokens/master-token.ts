/** The master token: whoever shows it administrates. */
import { type Principal, RESERVED_SUB_PREFIX } from '@natter/proto';
import { sameSecret } from '../same-secret.ts';

/** No token can claim this subject. */
export const MASTER_SUB = `${RESERVED_SUB_PREFIX}master`;

/** The token has no end of its own; a connection gets one, after which it is shown again. */
const GOOD_FOR_S = 30 * 86_400;

export class MasterToken {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  matches(token: string): boolean {
    return sameSecret(token, this.#token);
  }

  /** Whom it stands for, from now on. */
  principal(nowS: number): Principal {
    const expiresAt = Math.floor(nowS) + GOOD_FOR_S;
    return { sub: MASTER_SUB, email: null, name: null, roles: ['admin'], scopes: [], expiresAt };
  }
}
