/** Whether all of an upload has arrived, and in which pieces it is read. */
import { LIMITS, type UploadRecord } from '@natter/proto';
import { bytesOf, chain, inOrder, missingOf, type Part, type Piece } from '../parts/part.ts';
import { Refused } from '../refused.ts';

/** Indexes that an answer names. */
const MISSING = 1_000;

export type Pieces = { ok: true; pieces: Piece[] } | { ok: false; code: 'FILE_SIZE_MISMATCH' };

/** Throws UPLOAD_INCOMPLETE with what is missing; not ok when no further part can make it right. */
export function piecesOf(upload: UploadRecord, parts: readonly Part[]): Pieces {
  return upload.mode === 'sequential' ? sequential(upload, parts) : indexed(upload, parts);
}

function sequential({ size }: UploadRecord, parts: readonly Part[]): Pieces {
  const { pieces, end } = chain(parts);
  if (end < size) throw new Refused('UPLOAD_INCOMPLETE');
  return end === size ? { ok: true, pieces } : { ok: false, code: 'FILE_SIZE_MISMATCH' };
}

function indexed({ size, totalChunks }: UploadRecord, parts: readonly Part[]): Pieces {
  const ordered = inOrder(parts);
  const next = (ordered.at(-1)?.at ?? -1) + 1;
  const missing = missingOf(ordered, totalChunks ?? next, MISSING);
  const bytes = bytesOf(ordered);
  // Nobody has said how many there are: the bytes tell.
  if (totalChunks === null && bytes < size && missing.length < MISSING && next < LIMITS.chunksPerUpload)
    missing.push(next);
  if (missing.length > 0) throw new Refused('UPLOAD_INCOMPLETE', { missing });
  if (bytes !== size) return { ok: false, code: 'FILE_SIZE_MISMATCH' };
  return { ok: true, pieces: ordered.map((part) => ({ part, skip: 0 })) };
}
