/** Every key source that the settings switch on, and which of them judges a token. */
import type { Logger } from '@natter/runtime';
import { identityProvider, type KeyConfig } from '../config.ts';
import type { KeySource, TokenHeader } from './key-source.ts';
import { loadOwnKeys, type OwnKeys } from './own-keys.ts';
import { RemoteKeys } from './remote-keys.ts';
import { sharedSecretSource } from './shared-secret.ts';

export interface KeySources {
  own: OwnKeys;
  sharedSecret: KeySource | null;
  identityProvider: KeySource | null;
}

/** Reads or makes the keys; throws ConfigError when the settings or a key file can't be used. */
export async function loadKeySources(config: KeyConfig, log: Logger): Promise<KeySources> {
  const provider = identityProvider(config);
  const own = await loadOwnKeys(config);
  const sharedSecret = config.secret === null ? null : await sharedSecretSource(config.secret, config);
  if (provider === null) return { own, sharedSecret, identityProvider: null };
  const keys = new RemoteKeys(provider.url, log);
  // The first person to sign in shouldn't wait for it. A failure is logged and tried again.
  keys.warmUp();
  return { own, sharedSecret, identityProvider: providerSource(provider, config, keys) };
}

function providerSource(
  provider: { issuer: string; audience: string },
  config: KeyConfig,
  keys: RemoteKeys,
): KeySource {
  return {
    name: 'identity-provider',
    algorithms: config.jwksAlgorithms,
    typ: config.jwksTyp,
    issuer: provider.issuer,
    audience: provider.audience,
    requiredClaims: ['iss', 'aud', 'sub', 'exp'],
    typeRequired: false,
    // The provider may withdraw a key; its tokens must not outlive that by more than this.
    rememberS: 300,
    key: (header) => keys.key(header),
  };
}

/**
 * The source that judges a token, or null when nobody does. Decided before any check, once.
 *
 * `issuer` is what the token says, not yet verified: it only picks who may refuse it.
 */
export function sourceFor(sources: KeySources, header: TokenHeader, issuer: unknown): KeySource | null {
  // HS256 goes to the secret alone, so that no public key can ever be used as one (RFC 8725, 3.1).
  if (header.alg === 'HS256') return sources.sharedSecret;
  if (header.kid !== undefined && sources.own.has(header.kid)) return sources.own.source;
  const remote = sources.identityProvider;
  return remote !== null && issuer === remote.issuer ? remote : null;
}
