/** Files of a conversation or of an owner, newest first. */
import type { FileRecord } from '@natter/proto';
import type { Kept } from '../kept.ts';
import { inBatches } from '../records/in-batches.ts';

const MOST = 1_000;
/** Reads under way for one request. */
const BATCH = 32;

export async function listFiles(
  kept: Kept,
  of: { conversation: string } | { owner: string },
): Promise<FileRecord[]> {
  const ids =
    'owner' in of
      ? await kept.ledger.files(of.owner)
      : await kept.conversations.newest(of.conversation, MOST);
  const found = await inBatches(ids, BATCH, (id) => kept.files.peek(id));
  return found
    .flatMap((stored) => (stored === null ? [] : [stored.file]))
    .toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1))
    .slice(0, MOST);
}
