/** Bytes of a file, for whoever the gateway has judged. */
import { READ_BYTES } from '@natter/proto';
import type { Kept } from '../kept.ts';
import type { FoundFile } from '../records/file-records.ts';
import { Refused } from '../refused.ts';

/** Throws FILE_NOT_FOUND. */
export async function findFile(kept: Kept, id: string): Promise<FoundFile> {
  const stored = await kept.files.get(id);
  if (stored === null) throw new Refused('FILE_NOT_FOUND');
  return stored;
}

/** At most `READ_BYTES` from `offset` on; only of a file that is `ready`. */
export async function readFile(
  kept: Kept,
  id: string,
  offset: number,
  length: number,
): Promise<{ stored: FoundFile; bytes: Uint8Array }> {
  const stored = await findFile(kept, id);
  const { state, size } = stored.file;
  if (state === 'quarantined') throw new Refused('FILE_QUARANTINED');
  if (state === 'infected') throw new Refused('FILE_INFECTED');
  if (offset >= size) throw new Refused('RANGE_INVALID');
  const bytes = Math.min(length, READ_BYTES, size - offset);
  return {
    stored,
    bytes: await kept.stores.of(stored.placement.store).read(stored.placement, offset, bytes),
  };
}
