/** Judges a token for what it is shown for. */
import type { Principal, TokenUse, VerifyReply } from '@natter/proto';
import { LIMITS } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import type { ApiKeyVerifier } from '../api-keys/api-key-verifier.ts';
import type { TokenStore } from '../middleware/token-store.ts';
import type { ClientTokens } from './client-tokens.ts';
import type { MasterToken } from './master-token.ts';
import { refusal, TokenRefused } from './token-refused.ts';
import type { TokenVerifier } from './token-verifier.ts';

export interface TokenUsesParts {
  personal: TokenVerifier;
  clients: ClientTokens;
  master: MasterToken;
  apiKeys: ApiKeyVerifier;
  /** Where each token of fastchat-v1 must be known; null: nowhere. */
  store: Pick<TokenStore, 'check'> | null;
  log: Logger;
  /** Milliseconds since 1970. */
  now?: () => number;
}

export class TokenUses {
  readonly #parts: TokenUsesParts;

  constructor(parts: TokenUsesParts) {
    this.#parts = parts;
  }

  /** Never throws on account of a token. */
  async verify(token: string, use: TokenUse): Promise<VerifyReply> {
    try {
      if (Buffer.byteLength(token) > LIMITS.tokenBytes) throw new TokenRefused('invalid', 'too long');
      return { ok: true, principal: await this.#principal(token, use) };
    } catch (error) {
      return refusal(error, this.#parts.log);
    }
  }

  #principal(token: string, use: TokenUse): Promise<Principal> {
    if (use === 'master') return this.#master(token);
    if (use === 'api_key') return this.#apiKey(token);
    return use === 'client'
      ? this.#client(token)
      : this.#parts.personal.principal(token, use === 'websocket' ? use : 'access');
  }

  async #master(token: string): Promise<Principal> {
    const { master, now = Date.now } = this.#parts;
    if (!master.matches(token)) throw new TokenRefused('invalid', 'not the master token');
    return master.principal(now() / 1000);
  }

  /** An API key, or any access token: what it may do, its roles and scopes say. */
  #apiKey(token: string): Promise<Principal> {
    const { apiKeys, personal } = this.#parts;
    return apiKeys.areLike(token) ? apiKeys.principal(token) : personal.principal(token, 'access');
  }

  /** One of fastchat-v1, or any access token; the store, where there is one, must know either. */
  async #client(token: string): Promise<Principal> {
    const { personal, clients, store } = this.#parts;
    const principal = clients.areLike(token)
      ? await clients.principal(token, 'access')
      : await personal.principal(token, 'access');
    await store?.check(principal.sub, token);
    return principal;
  }
}
