/** Compares secrets in a time that tells nothing about them. */
import { hash, timingSafeEqual } from 'node:crypto';

/** Digests have one length, so not even the length of the secret shows. */
export function sameSecret(one: string, other: string): boolean {
  return timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'));
}
