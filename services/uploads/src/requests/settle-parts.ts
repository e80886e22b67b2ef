/** Judges the parts that gateways have stored of an upload, and tells what has arrived. */
import { LIMITS, type UploadProgress, type UploadsRequest } from '@natter/proto';
import { BusError, compareAndSet, isBusError } from '@natter/runtime';
import type { Kept } from '../kept.ts';
import { isSame, type Part, superfluous } from '../parts/part.ts';
import { inBatches } from '../records/in-batches.ts';
import type { FoundUpload } from '../records/upload-records.ts';
import { Refused } from '../refused.ts';
import { openUpload } from './open-upload.ts';
import { progressOf } from './progress.ts';

/** Removals under way. */
const BATCH = 16;

export async function settleParts(
  kept: Kept,
  { sub, id, total, stored }: Extract<UploadsRequest, { op: 'settle' }>,
  now: number,
): Promise<{ progress: UploadProgress; parts: Part[] }> {
  const [arrived, found] = await Promise.all([
    kept.parts.arrived(id),
    openUpload(kept, sub, id, now).catch(async (error: unknown) => {
      // It ended meanwhile: what came too late is nobody's.
      if (error instanceof Refused) await removeAll(kept, id, stored);
      throw error;
    }),
  ]);
  const upload = total === null ? found.upload : await agreeOnTotal(kept, found, total);
  const gone = superfluous(upload, arrived, stored);
  await removeAll(kept, id, gone);
  const left = gone.length === 0 ? arrived : await kept.parts.arrived(id);
  // Two gateways may have taken each other's try of a part away: then it is to be sent again.
  const mine = arrived.filter((part) => !gone.includes(part) && stored.some((one) => isSame(one, part)));
  if (upload.mode === 'indexed' && !mine.every((part) => left.some((one) => isSame(one, part))))
    throw new BusError('UNAVAILABLE', 'another try of the same part came at the same moment');
  return { progress: progressOf(upload, left), parts: left };
}

async function removeAll(kept: Kept, id: string, parts: readonly Part[]): Promise<void> {
  await inBatches(parts, BATCH, (part) => kept.parts.remove(id, part));
}

/** The first part that names a total decides it for all. */
async function agreeOnTotal(kept: Kept, found: FoundUpload, total: number): Promise<FoundUpload['upload']> {
  const { owner, id, mode } = found.upload;
  if (mode !== 'indexed' || total > LIMITS.chunksPerUpload) throw new Refused('CHUNK_INVALID');
  let latest = found;
  return compareAndSet(async () => {
    const { upload } = latest;
    if (upload.totalChunks === total) return upload;
    if (upload.totalChunks !== null) throw new Refused('CHUNK_INVALID');
    try {
      return (await kept.uploads.update({ ...latest, upload: { ...upload, totalChunks: total } })).upload;
    } catch (error) {
      if (isBusError(error, 'CONFLICT')) latest = await openUpload(kept, owner, id, 0);
      throw error;
    }
  });
}
