/** Everything that judges and makes tokens, as the settings say. */
import { ConfigError, type Logger } from '@natter/runtime';
import type { ApiKeyVerifier } from '../api-keys/api-key-verifier.ts';
import { cryptographyKeyFile, type KeyConfig, masterTokenFile } from '../config.ts';
import { settingOrFile } from '../keys/generated-secret.ts';
import { loadKeySources } from '../keys/key-sources.ts';
import type { OwnKeys } from '../keys/own-keys.ts';
import { loadMiddleware } from '../middleware/config-file.ts';
import { TokenStore } from '../middleware/token-store.ts';
import { ClientTokens } from './client-tokens.ts';
import { MasterToken } from './master-token.ts';
import { TokenIssuer } from './token-issuer.ts';
import { TokenUses } from './token-uses.ts';
import { TokenVerifier } from './token-verifier.ts';

export interface Tokens {
  keys: OwnKeys;
  verifier: TokenVerifier;
  /** The judge of all tokens; API keys need the bus, which comes after the settings. */
  usesWith(apiKeys: ApiKeyVerifier): TokenUses;
  issuer: TokenIssuer;
  /** Whether there is a token store that must know the tokens of fastchat-v1. */
  hasStore: boolean;
}

/** Reads or makes keys and secrets; throws ConfigError when the settings or a file can't be used. */
export async function loadTokens(config: KeyConfig, log: Logger): Promise<Tokens> {
  const settings = await loadMiddleware(config);
  const sources = await loadKeySources(config, log);
  const personal = new TokenVerifier(sources, { ...config, log });
  const key = await settingOrFile('CRYPTOGRAPHY_KEY', config.cryptographyKey, cryptographyKeyFile(config));
  const clients = await ClientTokens.of(key, config.clockToleranceS);
  const masterToken = await settingOrFile('MASTER_TOKEN', config.masterToken, masterTokenFile(config));
  // Whoever may only read and write logs would administrate.
  if (config.logsApiKey === masterToken)
    throw new ConfigError(['LOGS_API_KEY: must not be the MASTER_TOKEN']);
  const master = new MasterToken(masterToken);
  const store = settings === null ? null : new TokenStore(settings, log);
  const shared = { personal, clients, master, store, log };
  return {
    keys: sources.own,
    verifier: personal,
    usesWith: (apiKeys) => new TokenUses({ ...shared, apiKeys }),
    issuer: new TokenIssuer({ ...shared, keys: sources.own, names: config }),
    hasStore: store !== null,
  };
}
