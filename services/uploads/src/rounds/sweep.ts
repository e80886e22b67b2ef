/** Completes or cleans up what dead instances left. */
import { isBusError, type Logger } from '@natter/runtime';
import { type CompletionParts, complete } from '../finish/completion.ts';
import { PASS_MS } from '../finish/finalize.ts';
import { removeRest } from '../finish/remove-file.ts';
import type { FoundAttempt } from '../records/attempts.ts';
import { Refused } from '../refused.ts';

/** Whoever writes gives up after half of it. */
export const DEAD_MS = 2 * PASS_MS;

/** One look at all attempts that are too old to be alive. */
export async function sweep(parts: CompletionParts & { log: Logger }): Promise<void> {
  for (const attempt of await parts.kept.attempts.olderThan(DEAD_MS)) {
    try {
      await sweepOne(attempt, parts);
    } catch (error) {
      // Whoever wrote it lives, or another instance sweeps it.
      if (isBusError(error, 'CONFLICT')) continue;
      // A delete that died: what was left of the file is gone now.
      if (error instanceof Refused) continue;
      // One whose store can't be reached, say, must not keep the others from being swept.
      parts.log.warn({ err: error, file: attempt.id }, 'what a dead service left could not be removed yet');
    }
  }
}

async function sweepOne(attempt: FoundAttempt, parts: CompletionParts & { log: Logger }): Promise<void> {
  const { kept, log } = parts;
  const { id, owner, key, store } = attempt;
  // The record is read first: it goes only after the file exists.
  const found = await kept.uploads.get(owner, id);
  const file = await kept.files.get(id);
  const decided = [found?.decided ?? null, file].find((one) => one?.placement.key === key);
  if (decided) {
    log.info({ file: id }, 'a file that nobody completed is completed');
    await complete({ file: decided.file, placement: decided.placement }, parts, true);
    return;
  }
  // From here on its writer can't decide any more.
  if (!attempt.swept) await kept.attempts.keep(attempt, true);
  log.info({ file: id }, 'bytes that a dead service left are removed');
  const ended = found === null || found.upload.refused !== null;
  if (ended && file === null) return removeRest(kept, attempt);
  await kept.stores.of(store).remove(key);
  await kept.attempts.remove(key);
}
