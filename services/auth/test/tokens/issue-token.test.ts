import { decodeJwt, decodeProtectedHeader } from 'jose';
import { expect, it } from 'vitest';
import { loadKeySources } from '../../src/keys/key-sources.ts';
import { issueToken } from '../../src/tokens/issue-token.ts';
import { TokenVerifier } from '../../src/tokens/token-verifier.ts';
import { configOf, keyFile, LOG, temporaryFolder } from '../forge.ts';

const REQUEST = { sub: 'alice', email: 'a@example.com', name: 'Alice', roles: ['admin'], ttlS: 60 };

async function keys() {
  const config = configOf({ NATTER_JWT_PRIVATE_KEY_FILE: keyFile(temporaryFolder()).file });
  return { config, sources: await loadKeySources(config, LOG) };
}

it('issues a token with the claims of the seed, which the verifier accepts', async () => {
  const { config, sources } = await keys();
  const now = () => 1_800_000_000_500;
  const { token, expiresAt } = await issueToken(REQUEST, sources.own, config, now);
  expect(expiresAt).toBe(1_800_000_060);
  expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' });
  expect(decodeJwt(token)).toMatchObject({
    sub: 'alice',
    email: 'a@example.com',
    name: 'Alice',
    type: 'access',
    iat: 1_800_000_000,
    exp: expiresAt,
  });
  const verifier = new TokenVerifier(sources, { clockToleranceS: 0, verifiedTokens: 0, log: LOG, now });
  expect(await verifier.verify(token)).toMatchObject({
    ok: true,
    principal: { sub: 'alice', roles: ['admin'] },
  });
});

it('gives two tokens of the same second different ids', async () => {
  const { config, sources } = await keys();
  const now = () => 1_800_000_000_000;
  const [first, second] = await Promise.all(
    [1, 2].map(async () => decodeJwt((await issueToken(REQUEST, sources.own, config, now)).token).jti),
  );
  expect(first).not.toBe(second);
});

it('refuses a subject that the verifier would refuse', async () => {
  const { config, sources } = await keys();
  for (const sub of ['', 'ü'.repeat(65)]) {
    await expect(issueToken({ ...REQUEST, sub }, sources.own, config)).rejects.toMatchObject({
      code: 'UNFIT_TOKEN',
    });
  }
});

it('refuses claims that make the token longer than a token may be', async () => {
  const { config, sources } = await keys();
  const request = { ...REQUEST, name: '\0'.repeat(256), email: '\0'.repeat(320) };
  await expect(issueToken(request, sources.own, config)).rejects.toMatchObject({ code: 'UNFIT_TOKEN' });
});
