/** Issues the tokens of the wires that have their own: rooms-v1 and fastchat-v1. */
import { randomUUID } from 'node:crypto';
import type { IssueReply, IssueRequest } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import type { OwnKeys } from '../keys/own-keys.ts';
import { StoreFailed, type TokenStore } from '../middleware/token-store.ts';
import { CLIENT_TOKEN_TTL_S, type ClientTokens } from './client-tokens.ts';
import { issueToken, UnfitToken } from './issue-token.ts';
import type { MasterToken } from './master-token.ts';
import { mayBeClaimed } from './principal-of.ts';
import { refusal } from './token-refused.ts';
import type { TokenVerifier } from './token-verifier.ts';

/** Source: seeds/004, Authentication. */
const WEBSOCKET_TTL_S = 86_400;

export interface TokenIssuerParts {
  keys: OwnKeys;
  names: { issuer: string; audience: string };
  personal: TokenVerifier;
  clients: ClientTokens;
  master: MasterToken;
  /** Takes new tokens of fastchat-v1; null: nobody does. */
  store: Pick<TokenStore, 'save'> | null;
  log: Logger;
  /** Milliseconds since 1970. */
  now?: () => number;
}

type Refused = Extract<IssueReply, { ok: false }>;

export class TokenIssuer {
  readonly #parts: TokenIssuerParts;

  constructor(parts: TokenIssuerParts) {
    this.#parts = parts;
  }

  async issue(request: IssueRequest): Promise<IssueReply> {
    try {
      if (request.kind === 'websocket') return await this.#websocket(request.accessToken);
      if (request.kind === 'refresh') return await this.#refresh(request.refreshToken);
      return await this.#client(request.masterToken, request.clientId);
    } catch (error) {
      if (error instanceof StoreFailed) return no('store_failed');
      if (error instanceof UnfitToken) return no('invalid');
      return refusal(error, this.#parts.log);
    }
  }

  async #websocket(accessToken: string): Promise<IssueReply> {
    const { personal, keys, names, now } = this.#parts;
    const { sub, email, name, roles } = await personal.principal(accessToken, 'access');
    const asked = { sub, email, name, roles, type: 'websocket' as const, ttlS: WEBSOCKET_TTL_S };
    const { token } = await issueToken(asked, keys, names, now);
    return { ok: true, sub, token, expiresInS: WEBSOCKET_TTL_S };
  }

  async #client(masterToken: string, asked: string | null): Promise<IssueReply> {
    if (!this.#parts.master.matches(masterToken)) return no('invalid');
    const clientId = asked ?? randomUUID();
    return mayBeClaimed(clientId) ? this.#pair(clientId) : no('bad_client_id');
  }

  async #refresh(refreshToken: string): Promise<IssueReply> {
    const { sub } = await this.#parts.clients.principal(refreshToken, 'refresh');
    return this.#pair(sub);
  }

  /** The store has the tokens before the client does: one it doesn't know would be refused. */
  async #pair(clientId: string): Promise<IssueReply> {
    const pair = await this.#parts.clients.issue(clientId);
    await this.#parts.store?.save(clientId, pair);
    const { accessToken: token, refreshToken } = pair;
    return { ok: true, sub: clientId, token, expiresInS: CLIENT_TOKEN_TTL_S, refreshToken };
  }
}

function no(reason: Refused['reason']): Refused {
  return { ok: false, reason };
}
