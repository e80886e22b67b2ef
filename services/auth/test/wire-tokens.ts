/** Everything that judges and makes tokens, with known secrets and a frozen clock. */
import type { TokenUse } from '@natter/proto';
import { type FrozenClock, frozenClock } from '@natter/testkit';
import { ApiKeyVerifier } from '../src/api-keys/api-key-verifier.ts';
import { loadKeySources } from '../src/keys/key-sources.ts';
import type { TokenStore } from '../src/middleware/token-store.ts';
import { ClientTokens } from '../src/tokens/client-tokens.ts';
import { issueToken } from '../src/tokens/issue-token.ts';
import { MasterToken } from '../src/tokens/master-token.ts';
import { TokenIssuer } from '../src/tokens/token-issuer.ts';
import { TokenUses } from '../src/tokens/token-uses.ts';
import { TokenVerifier } from '../src/tokens/token-verifier.ts';
import { type KnownApiKeys, knownApiKeys } from './api-keys/known-api-keys.ts';
import { configOf, keyFile, LOG, SECRET, temporaryFolder } from './forge.ts';

export const MASTER = 'the master token of these tests';
export const LOGS_KEY = 'the key of LOGS_API_KEY';
export const CLIENT_KEY = 'a key of at least thirty-two bytes, for clients';

export interface WireTokens {
  uses: TokenUses;
  issuer: TokenIssuer;
  /** Keys in the store. */
  apiKeys: KnownApiKeys;
  time: FrozenClock;
  /** An access token, or one for rooms-v1, of our own key. */
  own(sub: string, type?: 'access' | 'websocket', roles?: string[]): Promise<string>;
  /** Whom a token stands for, or why it was refused. */
  judge(token: string, use: TokenUse): Promise<string>;
}

export async function wireTokens(store: TokenStore | null = null): Promise<WireTokens> {
  const time = frozenClock();
  const config = configOf({
    NATTER_JWT_SECRET: SECRET,
    NATTER_JWT_PRIVATE_KEY_FILE: keyFile(temporaryFolder()).file,
  });
  const sources = await loadKeySources(config, LOG);
  const personal = new TokenVerifier(sources, { ...config, log: LOG, now: time.now });
  const clients = await ClientTokens.of(CLIENT_KEY, config.clockToleranceS, time.now);
  const master = new MasterToken(MASTER);
  const shared = { personal, clients, master, store, log: LOG, now: time.now };
  const known = knownApiKeys(time.now);
  const apiKeys = new ApiKeyVerifier({ store: known.store, environmentKey: LOGS_KEY, now: time.now });
  const uses = new TokenUses({ ...shared, apiKeys });
  return {
    uses,
    apiKeys: known,
    issuer: new TokenIssuer({ ...shared, keys: sources.own, names: config }),
    time,
    own: async (sub, type = 'access', roles = []) => {
      const asked = { sub, email: 'a@example.com', name: 'A', roles, type, ttlS: 60 };
      return (await issueToken(asked, sources.own, config, time.now)).token;
    },
    judge: async (token, use) => {
      const reply = await uses.verify(token, use);
      return reply.ok ? reply.principal.sub : reply.reason;
    },
  };
}
