import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@natter/runtime';
import { expect, it } from 'vitest';
import { loadKeySources } from '../../src/keys/key-sources.ts';
import { loadOwnKeys } from '../../src/keys/own-keys.ts';
import { issueToken } from '../../src/tokens/issue-token.ts';
import { TokenVerifier } from '../../src/tokens/token-verifier.ts';
import { configOf, keyFile, LOG, temporaryFolder } from '../forge.ts';

function writeJwks(keys: object[]): string {
  const file = join(temporaryFolder(), 'previous.json');
  writeFileSync(file, JSON.stringify({ keys }));
  return file;
}
const jwkOf = (key: KeyObject) => key.export({ format: 'jwk' });
const problemOf = async (env: Record<string, string>): Promise<string> => {
  const error = await loadOwnKeys(configOf(env)).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message;
};

it('publishes public members only, the signing key first', async () => {
  const previous = generateKeyPairSync('ed25519').publicKey;
  const own = await loadOwnKeys(
    configOf({
      NATTER_JWT_PRIVATE_KEY_FILE: keyFile(temporaryFolder()).file,
      NATTER_JWT_PREVIOUS_PUBLIC_KEYS_FILE: writeJwks([{ ...jwkOf(previous), secret: 'x' }]),
    }),
  );
  expect(own.jwks).toHaveLength(2);
  expect(own.jwks[0]?.kid).toBe(own.signing.kid);
  for (const jwk of own.jwks) {
    expect(Object.keys(jwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  }
});

it('accepts tokens of a previous key while it is listed, and not after', async () => {
  const old = keyFile(temporaryFolder());
  const config = configOf({ NATTER_JWT_PRIVATE_KEY_FILE: old.file });
  const request = { sub: 'alice', email: null, name: null, roles: [], ttlS: 60 };
  const { token } = await issueToken(request, await loadOwnKeys(config), config);
  const verify = async (env: Record<string, string>) => {
    const sources = await loadKeySources(
      configOf({ NATTER_JWT_PRIVATE_KEY_FILE: keyFile(temporaryFolder()).file, ...env }),
      LOG,
    );
    return new TokenVerifier(sources, { clockToleranceS: 5, verifiedTokens: 0, log: LOG }).verify(token);
  };
  const file = writeJwks([jwkOf(old.publicKey)]);
  expect(await verify({ NATTER_JWT_PREVIOUS_PUBLIC_KEYS_FILE: file })).toMatchObject({ ok: true });
  expect(await verify({})).toEqual({ ok: false, reason: 'invalid' });
});

it('finds the generated key under NATTER_ROOT', async () => {
  const folder = temporaryFolder();
  const first = await loadOwnKeys(configOf({ NATTER_ROOT: folder, NATTER_DATA_DIR: './data' }));
  const second = await loadOwnKeys(configOf({ NATTER_DATA_DIR: join(folder, 'data') }));
  expect(second.signing.kid).toBe(first.signing.kid);
});

it('refuses a key file that is missing, rather than making one', async () => {
  const file = join(temporaryFolder(), 'missing.pem');
  expect(await problemOf({ NATTER_JWT_PRIVATE_KEY_FILE: file })).toContain('NATTER_JWT_PRIVATE_KEY_FILE');
});

it('refuses a key of another kind', async () => {
  const file = join(temporaryFolder(), 'rsa.pem');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  expect(await problemOf({ NATTER_JWT_PRIVATE_KEY_FILE: file })).toContain('it is of type rsa');
});

it.each([
  ['a private key', [jwkOf(generateKeyPairSync('ed25519').privateKey)], 'a private key must not be'],
  ['a key of another kind', [{ kty: 'EC', crv: 'P-256', x: 'x' }], 'keys.0.kty'],
  ['17 keys', Array.from({ length: 17 }, () => jwkOf(generateKeyPairSync('ed25519').publicKey)), 'keys'],
])('refuses previous keys with %s', async (_what, keys, text) => {
  const problem = await problemOf({
    NATTER_DATA_DIR: temporaryFolder(),
    NATTER_JWT_PREVIOUS_PUBLIC_KEYS_FILE: writeJwks(keys),
  });
  expect(problem).toContain('NATTER_JWT_PREVIOUS_PUBLIC_KEYS_FILE');
  expect(problem).toContain(text);
});
