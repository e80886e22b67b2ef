/** Our own Ed25519 keys: one that signs, and those before it that are still trusted. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@natter/runtime';
import { type CryptoKey, calculateJwkThumbprint, importJWK, importPKCS8, type JWK } from 'jose';
import { fromRoot, type KeyConfig } from '../config.ts';
import { readOrCreateKeyFile } from './key-file.ts';
import type { KeySource } from './key-source.ts';
import { readPreviousKeys } from './previous-keys.ts';

/** What signs and verifies with this key; RFC 8037. */
export const OWN_ALGORITHM = 'EdDSA';
/** Header `typ` of our tokens: an access token and nothing else (RFC 9068, section 2.1). */
export const OWN_TYP = 'at+jwt';

export interface OwnKeys {
  source: KeySource;
  /** Signs new tokens; `kid` is the RFC 7638 thumbprint of its public half. */
  signing: { key: CryptoKey; kid: string };
  /** Public halves, the signing key's first. */
  jwks: JWK[];
  has(kid: string): boolean;
}

/** Reads our keys; generates the signing key into the data folder when no file is set. */
export async function loadOwnKeys(config: KeyConfig): Promise<OwnKeys> {
  const { pem, publicJwk } = await readSigningKey(config);
  const previous =
    config.previousKeysFile === null ? [] : await readPreviousKeys(fromRoot(config, config.previousKeysFile));
  const signingJwk = await asPublicJwk(publicJwk);
  const trusted = new Map<string, { jwk: JWK; key: CryptoKey }>();
  for (const jwk of [signingJwk, ...(await Promise.all(previous.map(asPublicJwk)))]) {
    trusted.set(jwk.kid, { jwk, key: (await importJWK(jwk, OWN_ALGORITHM)) as CryptoKey });
  }
  return {
    signing: { key: await importPKCS8(pem, OWN_ALGORITHM), kid: signingJwk.kid },
    jwks: [...trusted.values()].map(({ jwk }) => jwk),
    has: (kid) => trusted.has(kid),
    source: {
      name: 'own',
      algorithms: [OWN_ALGORITHM],
      typ: OWN_TYP,
      issuer: config.issuer,
      audience: config.audience,
      requiredClaims: ['iss', 'aud', 'sub', 'exp', 'iat', 'jti'],
      typeRequired: true,
      rememberS: Number.POSITIVE_INFINITY,
      key: async ({ kid }) => trusted.get(kid ?? '')?.key ?? null,
    },
  };
}

async function readSigningKey(config: KeyConfig): Promise<{ pem: string; publicJwk: JWK }> {
  const set = config.privateKeyFile;
  const file = fromRoot(config, set ?? join(config.dataDir, 'auth', 'signing-key.pem'));
  try {
    const pem = set === null ? await readOrCreateKeyFile(file) : await readFile(file, 'utf8');
    return { pem, publicJwk: publicHalf(createPrivateKey(pem)) };
  } catch (error) {
    const name = set === null ? 'NATTER_DATA_DIR' : 'NATTER_JWT_PRIVATE_KEY_FILE';
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`${name}: ${file} can't be used as an Ed25519 key in PKCS #8 PEM: ${why}`]);
  }
}

function publicHalf(key: KeyObject): JWK {
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError(`it is of type ${key.asymmetricKeyType}`);
  return createPublicKey(key).export({ format: 'jwk' }) as JWK;
}

/** Names each member that may be published, so that no private one can slip through. */
async function asPublicJwk(jwk: JWK): Promise<JWK & { kid: string }> {
  const kid = await calculateJwkThumbprint(jwk);
  return { kty: 'OKP', crv: 'Ed25519', x: jwk.x, kid, alg: OWN_ALGORITHM, use: 'sig' } as JWK & {
    kid: string;
  };
}
