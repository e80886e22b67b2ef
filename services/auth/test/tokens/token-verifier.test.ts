import { generateKeyPairSync } from 'node:crypto';
import { LIMITS } from '@natter/proto';
import { frozenClock } from '@natter/testkit';
import type { CryptoKey } from 'jose';
import { describe, expect, it } from 'vitest';
import { KeysUnavailable } from '../../src/keys/key-source.ts';
import { type KeySources, loadKeySources } from '../../src/keys/key-sources.ts';
import { TokenVerifier } from '../../src/tokens/token-verifier.ts';
import { configOf, eddsa, forge, hs256, keyFile, LOG, rs256, SECRET, temporaryFolder } from '../forge.ts';

const clock = frozenClock();
const nowS = clock.now() / 1000;
const ALICE = {
  sub: 'alice',
  email: 'a@example.com',
  name: 'Alice',
  type: 'access',
  iat: nowS,
  exp: nowS + 60,
};
const OWN = { ...ALICE, iss: 'natter', aud: 'natter', jti: '1' };
const SEED_HEADER = { alg: 'HS256', typ: 'JWT' };

async function trust(env: Record<string, string> = {}) {
  const { file, key, publicKey } = keyFile(temporaryFolder());
  const config = configOf({ NATTER_JWT_SECRET: SECRET, NATTER_JWT_PRIVATE_KEY_FILE: file, ...env });
  const sources = await loadKeySources(config, LOG);
  const header = { alg: 'EdDSA', typ: 'at+jwt', kid: sources.own.signing.kid };
  return { key, publicKey, config, sources, header, ...verifierOf(sources) };
}

function verifierOf(sources: KeySources, verifiedTokens = 10) {
  const time = frozenClock(clock.now());
  const verifier = new TokenVerifier(sources, {
    clockToleranceS: 5,
    verifiedTokens,
    log: LOG,
    now: time.now,
  });
  return { verifier, time };
}

/** What an identity provider would be, without its network. */
async function trustProvider(key: () => Promise<CryptoKey | null>) {
  const { sources } = await trust();
  const source = {
    name: 'identity-provider' as const,
    algorithms: ['RS256'],
    typ: 'JWT',
    issuer: 'https://id.example',
    audience: 'chat',
    requiredClaims: ['iss', 'aud', 'sub', 'exp'],
    typeRequired: false,
    rememberS: 30,
    key,
  };
  return verifierOf({ ...sources, identityProvider: source });
}

const INVALID = { ok: false, reason: 'invalid' };
const EXPIRED = { ok: false, reason: 'expired' };
const UNAVAILABLE = { ok: false, reason: 'unavailable' };
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const rsaPublic = () =>
  crypto.subtle.importKey(
    'jwk',
    RSA.publicKey.export({ format: 'jwk' }),
    { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    false,
    ['verify'],
  );

describe('tokens of our own key', () => {
  it('are accepted with every claim in its place', async () => {
    const { verifier, header, key } = await trust();
    const claims = { ...OWN, roles: ['admin'], scope: 'chat:read chat:write' };
    expect(await verifier.verify(forge(header, claims, eddsa(key)))).toEqual({
      ok: true,
      principal: {
        sub: 'alice',
        email: 'a@example.com',
        name: 'Alice',
        roles: ['admin'],
        scopes: ['chat:read', 'chat:write'],
        expiresAt: nowS + 60,
      },
    });
  });

  it.each([
    ['another issuer', {}, { iss: 'somebody' }],
    ['another audience', {}, { aud: 'somebody' }],
    ['no issuer', {}, { iss: undefined }],
    ['no audience', {}, { aud: undefined }],
    ['no subject', {}, { sub: undefined }],
    ['a subject that is a number', {}, { sub: 7 }],
    ['an empty subject', {}, { sub: '' }],
    ['a subject of 129 bytes', {}, { sub: `${'ü'.repeat(64)}a` }],
    ['no expiry', {}, { exp: undefined }],
    ['an expiry that is a text', {}, { exp: '2099-01-01' }],
    ['an expiry beyond what a number holds exactly', {}, { exp: 1e300 }],
    ['no time of issue', {}, { iat: undefined }],
    ['no id', {}, { jti: undefined }],
    ['a start in the future', {}, { nbf: nowS + 6 }],
    ['the type refresh', {}, { type: 'refresh' }],
    ['no type', {}, { type: undefined }],
    ['a type that is a list', {}, { type: ['access'] }],
    ['the typ of an ID token', { typ: 'JWT' }, {}],
    ['no typ', { typ: undefined }, {}],
    ['a critical extension', { crit: ['exp'] }, {}],
    ['an unencoded payload', { crit: ['b64'], b64: false }, {}],
    ['a key id we do not know', { kid: 'unknown' }, {}],
    ['no key id', { kid: undefined }, {}],
    ['a key id that is a number', { kid: 7 }, {}],
    ['the algorithm none', { alg: 'none' }, {}],
    ['no algorithm', { alg: undefined }, {}],
    ['an algorithm that is not the key’s', { alg: 'ES256' }, {}],
  ])('are refused with %s', async (_what, header, claims) => {
    const trusted = await trust();
    const token = forge({ ...trusted.header, ...header }, { ...OWN, ...claims }, eddsa(trusted.key));
    expect(await trusted.verifier.verify(token)).toEqual(INVALID);
  });

  it('are refused when another key signed them', async () => {
    const { verifier, header } = await trust();
    const other = generateKeyPairSync('ed25519').privateKey;
    expect(await verifier.verify(forge(header, OWN, eddsa(other)))).toEqual(INVALID);
  });

  it('are refused when a claim was changed after signing', async () => {
    const { verifier, header, key } = await trust();
    const [head, , signature] = forge(header, OWN, eddsa(key)).split('.');
    const claims = Buffer.from(JSON.stringify({ ...OWN, roles: ['admin'] })).toString('base64url');
    expect(await verifier.verify(`${head}.${claims}.${signature}`)).toEqual(INVALID);
  });

  it('are refused without a signature', async () => {
    const { verifier, header, key } = await trust();
    const token = forge(header, OWN, eddsa(key));
    expect(await verifier.verify(token.slice(0, token.lastIndexOf('.') + 1))).toEqual(INVALID);
    expect(await verifier.verify(forge({ ...header, alg: 'none' }, OWN, () => Buffer.alloc(0)))).toEqual(
      INVALID,
    );
  });

  it('are refused when HS256 was computed with our public key', async () => {
    const { verifier, header, publicKey } = await trust();
    const secrets = [
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'),
    ];
    for (const secret of secrets) {
      const token = forge({ ...header, alg: 'HS256' }, OWN, hs256(secret));
      expect(await verifier.verify(token)).toEqual(INVALID);
    }
  });

  it('are expired after their time and the tolerance, not before', async () => {
    const { verifier, header, key, time } = await trust();
    const token = forge(header, { ...OWN, exp: nowS + 1 }, eddsa(key));
    time.advance(5_000);
    expect(await verifier.verify(token)).toMatchObject({ ok: true });
    time.advance(1_000);
    expect(await verifier.verify(token)).toEqual(EXPIRED);
  });

  it('are not called expired when the signature is wrong', async () => {
    const { verifier, header } = await trust();
    const other = generateKeyPairSync('ed25519').privateKey;
    expect(await verifier.verify(forge(header, { ...OWN, exp: nowS - 60 }, eddsa(other)))).toEqual(INVALID);
  });

  it('are accepted from a start that is within the tolerance', async () => {
    const { verifier, header, key } = await trust();
    const token = forge(header, { ...OWN, nbf: nowS + 5 }, eddsa(key));
    expect(await verifier.verify(token)).toMatchObject({ ok: true });
  });
});

describe('tokens of the shared secret', () => {
  it('are accepted as the original of the seed signs them', async () => {
    const { verifier } = await trust();
    const reply = await verifier.verify(forge(SEED_HEADER, ALICE, hs256(SECRET)));
    expect(reply).toMatchObject({
      ok: true,
      principal: { sub: 'alice', email: 'a@example.com', name: 'Alice' },
    });
  });

  it('are accepted with no type and with one role', async () => {
    const { verifier } = await trust();
    const token = forge(SEED_HEADER, { ...ALICE, type: undefined, role: 'admin' }, hs256(SECRET));
    expect(await verifier.verify(token)).toMatchObject({ ok: true, principal: { roles: ['admin'] } });
  });

  it.each([
    ['the type refresh', {}, { type: 'refresh' }],
    ['no expiry', {}, { exp: undefined }],
    ['no subject', {}, { sub: undefined }],
    ['an issuer where none is set', {}, { iss: 'natter' }],
    ['an audience where none is set', {}, { aud: 'natter' }],
    ['the typ of our own tokens', { typ: 'at+jwt' }, {}],
    ['no typ', { typ: undefined }, {}],
    ['HS512', { alg: 'HS512' }, {}],
    ['the algorithm in other letters', { alg: 'hs256' }, {}],
  ])('are refused with %s', async (_what, header, claims) => {
    const { verifier } = await trust();
    const token = forge({ ...SEED_HEADER, ...header }, { ...ALICE, ...claims }, hs256(SECRET));
    expect(await verifier.verify(token)).toEqual(INVALID);
  });

  it('are refused when another secret signed them', async () => {
    const { verifier } = await trust();
    expect(await verifier.verify(forge(SEED_HEADER, ALICE, hs256(`${SECRET}!`)))).toEqual(INVALID);
  });

  it('are refused where no secret is set', async () => {
    const { verifier } = await trust({ NATTER_JWT_SECRET: '' });
    expect(await verifier.verify(forge(SEED_HEADER, ALICE, hs256(SECRET)))).toEqual(INVALID);
    expect(await verifier.verify(forge(SEED_HEADER, ALICE, hs256('')))).toEqual(INVALID);
  });

  it('need the issuer and the audience that are set', async () => {
    const { verifier } = await trust({
      NATTER_JWT_SECRET_ISSUER: 'shop',
      NATTER_JWT_SECRET_AUDIENCE: 'chat',
    });
    const good = { ...ALICE, iss: 'shop', aud: ['chat', 'mail'] };
    expect(await verifier.verify(forge(SEED_HEADER, good, hs256(SECRET)))).toMatchObject({ ok: true });
    expect(await verifier.verify(forge(SEED_HEADER, { ...good, aud: 'mail' }, hs256(SECRET)))).toEqual(
      INVALID,
    );
    expect(await verifier.verify(forge(SEED_HEADER, { ...good, iss: 'x' }, hs256(SECRET)))).toEqual(INVALID);
    expect(await verifier.verify(forge(SEED_HEADER, ALICE, hs256(SECRET)))).toEqual(INVALID);
  });
});

describe('tokens of an identity provider', () => {
  const header = { alg: 'RS256', typ: 'JWT', kid: 'r1' };
  const claims = { sub: 'bob', iss: 'https://id.example', aud: 'chat', exp: nowS + 60 };

  it('are accepted from its issuer for our audience', async () => {
    const { verifier } = await trustProvider(rsaPublic);
    expect(await verifier.verify(forge(header, claims, rs256(RSA.privateKey)))).toMatchObject({ ok: true });
  });

  it.each([
    ['another issuer', {}, { iss: 'https://evil.example' }],
    ['another audience', {}, { aud: 'mail' }],
    ['an algorithm that is not listed', { alg: 'PS256' }, {}],
    ['the type refresh', {}, { type: 'refresh' }],
    ['another typ', { typ: 'logout+jwt' }, {}],
  ])('are refused with %s', async (_what, moreHeader, moreClaims) => {
    const { verifier } = await trustProvider(rsaPublic);
    const token = forge({ ...header, ...moreHeader }, { ...claims, ...moreClaims }, rs256(RSA.privateKey));
    expect(await verifier.verify(token)).toEqual(INVALID);
  });

  it('are refused when the shared secret signed them', async () => {
    const { verifier } = await trustProvider(rsaPublic);
    expect(await verifier.verify(forge({ ...header, alg: 'HS256' }, claims, hs256(SECRET)))).toEqual(INVALID);
  });

  it('cannot pass as tokens of our own key', async () => {
    const { verifier } = await trustProvider(rsaPublic);
    const token = forge(header, { ...OWN, iss: 'natter' }, rs256(RSA.privateKey));
    expect(await verifier.verify(token)).toEqual(INVALID);
  });

  it('are neither good nor bad while its keys cannot be had', async () => {
    const { verifier } = await trustProvider(() => Promise.reject(new KeysUnavailable('down')));
    expect(await verifier.verify(forge(header, claims, rs256(RSA.privateKey)))).toEqual(UNAVAILABLE);
  });

  it('are invalid from another issuer, without asking for the provider’s keys', async () => {
    const { verifier } = await trustProvider(() => Promise.reject(new KeysUnavailable('down')));
    const token = forge(header, { ...claims, iss: 'https://evil.example' }, rs256(RSA.privateKey));
    expect(await verifier.verify(token)).toEqual(INVALID);
  });

  it('are checked again after the time for which its keys are sure', async () => {
    let asked = 0;
    const { verifier, time } = await trustProvider(() => {
      asked += 1;
      return rsaPublic();
    });
    const token = forge(header, claims, rs256(RSA.privateKey));
    await verifier.verify(token);
    time.advance(29_000);
    await verifier.verify(token);
    expect(asked).toBe(1);
    time.advance(2_000);
    expect(await verifier.verify(token)).toMatchObject({ ok: true });
    expect(asked).toBe(2);
  });
});

describe('what is no token', () => {
  it.each([
    ['nothing', ''],
    ['a word', 'bearer'],
    ['two dots', '..'],
    ['four parts', 'a.b.c.d'],
    ['five parts', 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..a.b.c'],
    ['bytes outside base64url', '%%%.???.!!!'],
    ['a zero byte', '\0.\0.\0'],
    ['a lone surrogate', '\ud800.\ud800.\ud800'],
    ['JSON', '{"alg":"none"}'],
  ])('is refused: %s', async (_what, token) => {
    const { verifier } = await trust();
    expect(await verifier.verify(token)).toEqual(INVALID);
  });

  it.each([
    ['a header that is no JSON', 'x', '{}'],
    ['a header that is a list', '[]', '{}'],
    ['a header that is null', 'null', '{}'],
    ['claims that are no JSON', JSON.stringify(SEED_HEADER), 'x'],
    ['claims that are a list', JSON.stringify(SEED_HEADER), '[]'],
    ['claims that are null', JSON.stringify(SEED_HEADER), 'null'],
  ])('is refused: %s', async (_what, header, claims) => {
    const { verifier } = await trust();
    expect(await verifier.verify(forge(header, claims, hs256(SECRET)))).toEqual(INVALID);
  });

  it('is refused when it is longer than a token may be', async () => {
    const { verifier } = await trust();
    const make = (chars: number) => forge(SEED_HEADER, { ...ALICE, pad: 'x'.repeat(chars) }, hs256(SECRET));
    const fits = make(2_800);
    expect(fits.length).toBeLessThanOrEqual(LIMITS.tokenBytes);
    expect(await verifier.verify(fits)).toMatchObject({ ok: true });
    expect(await verifier.verify(make(3_000))).toEqual(INVALID);
  });
});

describe('a remembered token', () => {
  it('is answered without its key', async () => {
    const { verifier, header, key } = await trust();
    const token = forge(header, OWN, eddsa(key));
    const first = await verifier.verify(token);
    expect(await verifier.verify(token)).toEqual(first);
    expect(verifier.remembered).toEqual({ tokens: 1, hits: 1 });
  });

  it('expires like any other', async () => {
    const { verifier, header, key, time } = await trust();
    const token = forge(header, OWN, eddsa(key));
    await verifier.verify(token);
    time.advance(66_000);
    expect(await verifier.verify(token)).toEqual(EXPIRED);
    expect(verifier.remembered.tokens).toBe(0);
  });

  it('is never one that was refused', async () => {
    const { verifier } = await trust();
    await verifier.verify(forge(SEED_HEADER, ALICE, hs256('wrong')));
    expect(verifier.remembered).toEqual({ tokens: 0, hits: 0 });
  });
});
