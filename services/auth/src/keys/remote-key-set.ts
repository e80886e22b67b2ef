/** One fetch of a JSON Web Key Set, bounded in time and size. */
import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';
import { boundedText } from '../bounded-text.ts';

/** The largest sets of public providers are about 20 KB. */
const MAX_BYTES = 256 * 1024;
const MAX_KEYS = 100;

const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(MAX_KEYS) });

/** Throws whatever went wrong; the caller says what it means. */
export async function fetchKeySet(url: string, timeoutMs: number): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    // The operator vouched for this address, not for where it may send us.
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
    headers: { accept: 'application/jwk-set+json, application/json' },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`status ${response.status} instead of 200`);
  }
  return KeySet.parse(JSON.parse(await boundedText(response, MAX_BYTES)));
}
