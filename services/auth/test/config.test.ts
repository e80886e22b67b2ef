import { ConfigError } from '@natter/runtime';
import { expect, it } from 'vitest';
import { identityProvider } from '../src/config.ts';
import { loadTokens } from '../src/tokens/load-tokens.ts';
import { configOf, LOG, temporaryFolder } from './forge.ts';

it.each([
  ['NATTER_JWT_SECRET', 'x'.repeat(31), 'at least 32 bytes'],
  ['CRYPTOGRAPHY_KEY', 'x'.repeat(31), 'at least 32 bytes'],
  ['MASTER_TOKEN', 'x'.repeat(4_097), 'at most 4096 bytes'],
  ['LOGS_API_KEY', 'x'.repeat(15), '16 to 4096 visible ASCII characters'],
  ['LOGS_API_KEY', 'x'.repeat(4_097), '16 to 4096 visible ASCII characters'],
  ['LOGS_API_KEY', 'a key with spaces in it', '16 to 4096 visible ASCII characters'],
  ['NATTER_JWKS_ALGORITHMS', 'RS256,HS256', 'must be a list of'],
  ['NATTER_JWKS_ALGORITHMS', 'none', 'must be a list of'],
  ['NATTER_JWKS_URL', 'file:///etc/passwd', 'http or https'],
  ['NATTER_JWKS_TYP', 'anything', 'JWT, at+jwt'],
  ['NATTER_JWT_CLOCK_TOLERANCE_S', '61', 'from 0 to 60'],
])('refuses %s=%s', (name, value, text) => {
  expect(() => configOf({ [name]: value })).toThrow(text);
});

it.each(['NATTER_JWT_SECRET', 'CRYPTOGRAPHY_KEY', 'LOGS_API_KEY'])(
  'never repeats %s in a refusal',
  (name) => {
    const secret = 'short+secret';
    let message = '';
    try {
      configOf({ [name]: secret });
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain(name);
    expect(message).not.toContain(secret);
  },
);

it('accepts a secret of 32 bytes', () => {
  expect(configOf({ NATTER_JWT_SECRET: 'ü'.repeat(16) }).secret).toBe('ü'.repeat(16));
});

it('does not take the master token as LOGS_API_KEY, which would administrate', async () => {
  const secret = 'a-secret-for-everything';
  const config = configOf({ LOGS_API_KEY: secret, MASTER_TOKEN: secret, NATTER_DATA_DIR: temporaryFolder() });
  await expect(loadTokens(config, LOG)).rejects.toMatchObject({
    code: 'CONFIG',
    problems: [expect.not.stringContaining(secret)],
  });
});

it('wants the whole of an identity provider, or nothing', () => {
  const url = 'https://id.example/jwks';
  expect(identityProvider(configOf({}))).toBeNull();
  expect(() => identityProvider(configOf({ NATTER_JWKS_URL: url }))).toThrow(ConfigError);
  expect(() => identityProvider(configOf({ NATTER_JWKS_ISSUER: 'x' }))).toThrow(ConfigError);
  const env = { NATTER_JWKS_URL: url, NATTER_JWKS_ISSUER: 'i', NATTER_JWKS_AUDIENCE: 'a' };
  expect(identityProvider(configOf(env))).toEqual({ url, issuer: 'i', audience: 'a' });
});

it('leaves the development login off unless it is switched on', () => {
  expect(configOf({}).devLogin).toBe(false);
});
