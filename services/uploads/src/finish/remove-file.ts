/** Takes a finished file away: nobody is served it from the first step on. */
import type { ErrorCode } from '@natter/proto';
import { isBusError } from '@natter/runtime';
import type { Kept } from '../kept.ts';
import type { Attempt, StoredFile } from '../records/stored-file.ts';

/**
 * Harmless to repeat; a sweep goes on where a death ended it.
 *
 * The upload says then that it ended with `code`: whoever was about to complete the file, and
 * stalled, must not bring it back without its bytes.
 */
export async function removeFile(
  kept: Kept,
  { file, placement }: StoredFile,
  code: ErrorCode = 'UPLOAD_NOT_FOUND',
): Promise<void> {
  const { id, owner, conversation } = file;
  const attempt = { key: placement.key, store: placement.store, id, owner, conversation };
  await kept.attempts.end(attempt);
  await kept.ledger.end(owner, id, (old) => kept.uploads.remove(owner, old));
  await kept.uploads.end(file, code).catch((error: unknown) => {
    // Full: a delete has to work all the same, if only without what it leaves.
    if (!isBusError(error, 'REFUSED')) throw error;
    return kept.uploads.remove(owner, id);
  });
  await kept.files.remove(id);
  await removeRest(kept, attempt);
}

/** What is left of a file without a record. */
export async function removeRest(kept: Kept, attempt: Omit<Attempt, 'at' | 'swept'>): Promise<void> {
  const { id, owner, conversation } = attempt;
  await kept.stores.of(attempt.store).remove(attempt.key);
  if (conversation !== null) await kept.conversations.remove(conversation, id);
  await kept.scans.done(id);
  await kept.texts.done(id);
  await kept.ledger.release(owner, id);
  await kept.attempts.remove(attempt.key);
}
