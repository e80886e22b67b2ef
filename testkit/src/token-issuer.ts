/** Signs tokens as `npm run token` does, in this process: a thousand of them take a second. */
import { loadConfig } from '@natter/runtime';
import { AUTH_SETTINGS, type KeyConfig } from '../../services/auth/src/config.ts';
import { loadOwnKeys, type OwnKeys } from '../../services/auth/src/keys/own-keys.ts';
import { issueToken } from '../../services/auth/src/tokens/issue-token.ts';

export interface TokenClaims {
  sub: string;
  email?: string;
  name?: string;
  roles?: string[];
  /** Seconds until it expires; negative for one that has. Default one hour. */
  ttlS?: number;
}

export class TokenIssuer {
  readonly #config: KeyConfig;
  #keys: Promise<OwnKeys> | null = null;

  /** `env` is that of the auth service, which shares its key file. */
  constructor(env: Record<string, string | undefined>) {
    this.#config = loadConfig(AUTH_SETTINGS, env).config;
  }

  async issue(claims: TokenClaims): Promise<string> {
    const { sub, email = null, name = null, roles = [], ttlS = 3_600 } = claims;
    this.#keys ??= loadOwnKeys(this.#config);
    const { token } = await issueToken({ sub, email, name, roles, ttlS }, await this.#keys, this.#config);
    return token;
  }
}
