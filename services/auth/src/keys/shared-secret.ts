/** The secret shared with a backend that signs HS256 tokens, as the original of seeds/001 did. */
import type { KeyConfig } from '../config.ts';
import type { KeySource } from './key-source.ts';

export async function sharedSecretSource(
  secret: string,
  config: Pick<KeyConfig, 'secretIssuer' | 'secretAudience'>,
): Promise<KeySource> {
  // Imported once: jose imports bytes again at each verify.
  const key = await crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['verify'],
  );
  return {
    name: 'shared-secret',
    algorithms: ['HS256'],
    typ: 'JWT',
    issuer: config.secretIssuer,
    audience: config.secretAudience,
    requiredClaims: ['sub', 'exp'],
    // The seed's tokens say `access`; backends that know no other kind leave it out.
    typeRequired: false,
    rememberS: Number.POSITIVE_INFINITY,
    key: async () => key,
  };
}
