/** Settings of the auth service; `npm run token` reads the same ones. */
import { join, resolve } from 'node:path';
import { LIMITS } from '@natter/proto';
import type { BaseConfig } from '@natter/runtime';
import { ConfigError, type ConfigOf, kinds, setting } from '@natter/runtime/config';

/** RFC 7518, section 3.2: an HS256 key has at least the size of the hash. */
const MIN_SECRET_BYTES = 32;

function atLeastBytes(bytes: number) {
  return kinds.optional().refine((value) => value === null || Buffer.byteLength(value) >= bytes, {
    error: `must have at least ${bytes} bytes; \`openssl rand -base64 32\` makes a good one`,
  });
}

/** What a header can carry and nobody guesses. */
const API_KEY = new RegExp(`^[\\x21-\\x7e]{16,${LIMITS.tokenBytes}}$`);

/** Signatures with a public key. HMAC is left out: a published key must never work as a secret. */
const PUBLIC_KEY_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
];

export const AUTH_SETTINGS = {
  root: setting(
    'NATTER_ROOT',
    kinds.string('.'),
    'Folder from which relative paths count; the npm scripts set it to the repository. Unset: the working directory.',
    { defaultDoc: 'working directory' },
  ),
  dataDir: setting(
    'NATTER_DATA_DIR',
    kinds.string('./.natter'),
    'Folder for everything that is kept: the data of the broker that `npm start` starts, and the generated keys.',
  ),
  privateKeyFile: setting(
    'NATTER_JWT_PRIVATE_KEY_FILE',
    kinds.optional(),
    'PKCS #8 PEM file with the Ed25519 key that signs our tokens. Unset: a key is generated into NATTER_DATA_DIR, which is right for one machine only.',
  ),
  previousKeysFile: setting(
    'NATTER_JWT_PREVIOUS_PUBLIC_KEYS_FILE',
    kinds.optional(),
    'JWKS file with up to 16 public Ed25519 keys that signed our tokens before and are still trusted. Unset: none.',
  ),
  masterToken: setting(
    'MASTER_TOKEN',
    kinds.optional().refine((value) => value === null || Buffer.byteLength(value) <= LIMITS.tokenBytes, {
      error: `must have at most ${LIMITS.tokenBytes} bytes`,
    }),
    'Token of whoever administrates on fastchat-v1 and makes tokens there. Unset: one is generated into NATTER_DATA_DIR, which is right for one machine only.',
    { secret: true },
  ),
  cryptographyKey: setting(
    'CRYPTOGRAPHY_KEY',
    atLeastBytes(MIN_SECRET_BYTES),
    'Key that signs and verifies the tokens of fastchat-v1 (HS256), at least 32 bytes. Unset: one is generated into NATTER_DATA_DIR, which is right for one machine only.',
    { secret: true },
  ),
  configFile: setting(
    'NATTER_CONFIG_FILE',
    kinds.optional(),
    'JSON file whose section `auth_middleware` names an HTTP store that must know each token of fastchat-v1. Unset: no such store.',
  ),
  logsApiKey: setting(
    'LOGS_API_KEY',
    kinds.optional().refine((value) => value === null || API_KEY.test(value), {
      error: `must have 16 to ${LIMITS.tokenBytes} visible ASCII characters; \`openssl rand -base64 32\` makes a good one`,
    }),
    'An API key that may read and write logs, besides those of `npm run apikey`; at least 16 characters. Unset: no such key.',
    { secret: true },
  ),
  issuer: setting(
    'NATTER_JWT_ISSUER',
    kinds.string('natter'),
    'Claim `iss` of the tokens that we sign; others signed by our keys are refused.',
  ),
  audience: setting(
    'NATTER_JWT_AUDIENCE',
    kinds.string('natter'),
    'Claim `aud` of the tokens that we sign; others signed by our keys are refused.',
  ),
  secret: setting(
    'NATTER_JWT_SECRET',
    atLeastBytes(MIN_SECRET_BYTES),
    'Secret shared with a backend that signs HS256 tokens, at least 32 bytes. Only verifies; we sign nothing with it. Unset: HS256 is refused.',
    { secret: true },
  ),
  secretIssuer: setting(
    'NATTER_JWT_SECRET_ISSUER',
    kinds.optional(),
    'Claim `iss` of tokens signed with the shared secret. Unset: they must carry none.',
  ),
  secretAudience: setting(
    'NATTER_JWT_SECRET_AUDIENCE',
    kinds.optional(),
    'Claim `aud` of tokens signed with the shared secret. Unset: they must carry none.',
  ),
  jwksUrl: setting(
    'NATTER_JWKS_URL',
    kinds.httpUrl(),
    'Where an identity provider publishes its public keys. Unset: no identity provider.',
  ),
  jwksIssuer: setting(
    'NATTER_JWKS_ISSUER',
    kinds.optional(),
    "Claim `iss` of the identity provider's tokens. Required with NATTER_JWKS_URL.",
  ),
  jwksAudience: setting(
    'NATTER_JWKS_AUDIENCE',
    kinds.optional(),
    "Claim `aud` that the identity provider's tokens must contain. Required with NATTER_JWKS_URL.",
  ),
  jwksAlgorithms: setting(
    'NATTER_JWKS_ALGORITHMS',
    kinds
      .list(['RS256', 'ES256', 'EdDSA'])
      .refine(
        (value) => value.length > 0 && value.every((algorithm) => PUBLIC_KEY_ALGORITHMS.includes(algorithm)),
        {
          error: `must be a list of ${PUBLIC_KEY_ALGORITHMS.join(', ')}`,
        },
      ),
    "Signature algorithms accepted from the identity provider's keys, separated by commas.",
  ),
  jwksTyp: setting(
    'NATTER_JWKS_TYP',
    kinds.choice(['JWT', 'at+jwt'], 'JWT'),
    "Header `typ` of the identity provider's access tokens; `at+jwt` where it follows RFC 9068.",
  ),
  clockToleranceS: setting(
    'NATTER_JWT_CLOCK_TOLERANCE_S',
    kinds.integer(5, 0, 60),
    'Seconds by which clocks may differ when `exp` and `nbf` are judged.',
  ),
  verifiedTokens: setting(
    'NATTER_AUTH_VERIFIED_TOKENS',
    kinds.integer(10_000, 0, 1_000_000),
    'Verified tokens that are remembered, about 1 KB each; the one unused longest makes room. 0: none, each verify checks the signature.',
  ),
  devLogin: setting(
    'NATTER_DEV_LOGIN',
    kinds.flag(false),
    'Development only: anybody gets a token for any name, without a password. Never on where others can reach it.',
  ),
};

export type AuthConfig = ConfigOf<typeof AUTH_SETTINGS> & BaseConfig;

/** What the keys need of the settings, so that the command line needs no broker settings. */
export type KeyConfig = ConfigOf<typeof AUTH_SETTINGS>;

export interface IdentityProvider {
  url: string;
  issuer: string;
  audience: string;
}

/** The identity provider, or null when none is set; throws ConfigError when half of it is. */
export function identityProvider(config: KeyConfig): IdentityProvider | null {
  const { jwksUrl: url, jwksIssuer: issuer, jwksAudience: audience } = config;
  if (url === null && issuer === null && audience === null) return null;
  if (url !== null && issuer !== null && audience !== null) return { url, issuer, audience };
  throw new ConfigError([
    'NATTER_JWKS_URL, NATTER_JWKS_ISSUER and NATTER_JWKS_AUDIENCE: set all three, or none',
  ]);
}

/** A path of the settings, absolute. */
export function fromRoot(config: KeyConfig, path: string): string {
  return resolve(config.root, path);
}

/** Where the generated master token is; `npm start` shows it from there. */
export function masterTokenFile(config: Pick<KeyConfig, 'root' | 'dataDir'>): string {
  return resolve(config.root, join(config.dataDir, 'auth', 'master-token'));
}

/** Where the generated key of the tokens of fastchat-v1 is. */
export function cryptographyKeyFile(config: Pick<KeyConfig, 'root' | 'dataDir'>): string {
  return resolve(config.root, join(config.dataDir, 'auth', 'cryptography-key'));
}
