/** Run ids: a digest of who asks, where, and the message id, so that a resend is the same run. */
import { createHash } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * 26 characters of base32, 130 of SHA-256's bits.
 *
 * The principal and the conversation are part of it: the same message id of somebody else is
 * another run, and nobody can suppress a message by guessing its id.
 */
export function runId(sub: string, conversation: string, messageId: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([sub, conversation, messageId]))
    .digest();
  let id = '';
  let bits = 0;
  let held = 0;
  for (const byte of digest) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5 && id.length < 26) {
      bits -= 5;
      id += ALPHABET[(held >>> bits) & 31];
    }
    held &= (1 << bits) - 1;
    if (id.length === 26) break;
  }
  return id;
}
