/** Public keys that signed our tokens before a rotation, from a JWKS file. */
import { readFile } from 'node:fs/promises';
import { ConfigError } from '@natter/runtime';
import type { JWK } from 'jose';
import { z } from 'zod';

const PreviousKeys = z.object({
  keys: z
    .array(
      z.object({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        // 32 bytes in base64url without padding.
        x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
        d: z.undefined({ error: 'a private key must not be in this file' }).optional(),
      }),
    )
    .max(16),
});

/** Reads the file; throws ConfigError when it isn't a set of public Ed25519 keys. */
export async function readPreviousKeys(file: string): Promise<JWK[]> {
  try {
    const { keys } = PreviousKeys.parse(JSON.parse(await readFile(file, 'utf8')));
    return keys.map(({ kty, crv, x }) => ({ kty, crv, x }));
  } catch (error) {
    const why =
      error instanceof z.ZodError
        ? error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
        : error instanceof Error
          ? error.message
          : String(error);
    throw new ConfigError([
      `NATTER_JWT_PREVIOUS_PUBLIC_KEYS_FILE: ${file} can't be used as a set of public Ed25519 keys: ${why}`,
    ]);
  }
}
