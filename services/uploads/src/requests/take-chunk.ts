/** Stores one part of an upload, and tells what has arrived. */
import { type ChunkPosition, LIMITS, type UploadProgress } from '@natter/proto';
import { BusError, compareAndSet, isBusError } from '@natter/runtime';
import type { Kept } from '../kept.ts';
import { bytesOf, chain, type Part } from '../parts/part.ts';
import type { FoundUpload } from '../records/upload-records.ts';
import { Refused } from '../refused.ts';
import { openUpload } from './open-upload.ts';
import { progressOf } from './progress.ts';

/** Parts of a sequential upload: each PATCH that breaks off leaves one that is shorter than it might be. */
const SEQUENTIAL_PARTS = 4 * LIMITS.chunksPerUpload;

export async function takeChunk(
  kept: Kept,
  request: { sub: string; id: string; position: ChunkPosition },
  bytes: Uint8Array,
  { maxChunkSize, now }: { maxChunkSize: number; now: number },
): Promise<UploadProgress> {
  const { sub, id, position } = request;
  if (bytes.length === 0) throw new Refused('CHUNK_INVALID');
  if (bytes.length > maxChunkSize) throw new Refused('CHUNK_TOO_LARGE');
  const found = await openUpload(kept, sub, id, now);
  if ('index' in position !== (found.upload.mode === 'indexed')) throw new Refused('CHUNK_INVALID');
  if ('index' in position) return takeIndexed(kept, found, position, bytes);
  return takeSequential(kept, found, position.offset, bytes);
}

async function takeIndexed(
  kept: Kept,
  found: FoundUpload,
  { index, total }: { index: number; total: number | null },
  bytes: Uint8Array,
): Promise<UploadProgress> {
  if ((total ?? index + 1) > LIMITS.chunksPerUpload) throw new Refused('CHUNK_INVALID');
  if (bytes.length > found.upload.size) throw new Refused('FILE_SIZE_MISMATCH');
  const upload = total === null ? found.upload : await agreeOnTotal(kept, found, total);
  if (index >= (upload.totalChunks ?? LIMITS.chunksPerUpload)) throw new Refused('CHUNK_INVALID');
  const part: Part = { at: index, length: bytes.length };
  const parts = await put(kept, found, part, bytes);
  // An earlier try of the same part with another length: this one counts.
  const others = parts.filter(({ at, length }) => at === index && length !== bytes.length);
  for (const other of others) await kept.parts.remove(upload.id, other);
  // Two at once may have taken each other away: then it is to be sent again.
  if (others.length > 0 && !(await kept.parts.arrived(upload.id)).some(isSame(part)))
    throw new BusError('UNAVAILABLE', 'another try of the same part came at the same moment');
  const left = parts.filter((one) => !others.includes(one));
  if (bytesOf(left) > upload.size) {
    await kept.parts.remove(upload.id, part);
    throw new Refused('FILE_SIZE_MISMATCH');
  }
  return progressOf(upload, left);
}

async function takeSequential(
  kept: Kept,
  found: FoundUpload,
  offset: number,
  bytes: Uint8Array,
): Promise<UploadProgress> {
  const { upload } = found;
  const before = await kept.parts.arrived(upload.id);
  if (offset !== chain(before).end) throw new Refused('UPLOAD_OFFSET_CONFLICT');
  if (offset + bytes.length > upload.size) throw new Refused('FILE_SIZE_MISMATCH');
  if (before.length >= SEQUENTIAL_PARTS) throw new Refused('CHUNK_INVALID');
  const parts = await put(kept, found, { at: offset, length: bytes.length }, bytes);
  // Several at once, of which the longest has all: the others would be bytes that no quota counts.
  const tries = parts.filter(({ at }) => at === offset);
  const longest = Math.max(...tries.map(({ length }) => length));
  for (const part of tries) if (part.length < longest) await kept.parts.remove(upload.id, part);
  return progressOf(upload, parts);
}

function isSame({ at, length }: Part): (other: Part) => boolean {
  return (other) => other.at === at && other.length === length;
}

/** The first part that names a total decides it for all. */
async function agreeOnTotal(kept: Kept, found: FoundUpload, total: number): Promise<FoundUpload['upload']> {
  const { owner, id } = found.upload;
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

/** Stores it; what has arrived then. A part of an upload that ended meanwhile is taken away again. */
async function put(kept: Kept, { upload }: FoundUpload, part: Part, bytes: Uint8Array): Promise<Part[]> {
  const { owner, id } = upload;
  await kept.parts.put(id, part, bytes).catch((error: unknown) => {
    // Full: others have to finish first, or to expire.
    if (isBusError(error, 'REFUSED')) throw new BusError('UNAVAILABLE', 'CHUNKS takes no more', error);
    throw error;
  });
  const [parts] = await Promise.all([
    kept.parts.arrived(id),
    openUpload(kept, owner, id, 0).catch(async (error: unknown) => {
      if (error instanceof Refused) await kept.parts.removeAll(id);
      throw error;
    }),
  ]);
  return parts;
}
