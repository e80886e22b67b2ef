/** Begins an upload: everything that can be refused before the first byte is refused here. */
import { randomUUID } from 'node:crypto';
import type { UploadRecord, UploadsRequest } from '@natter/proto';
import { unlessConflict } from '@natter/runtime';
import type { Kept } from '../kept.ts';
import type { Kinds } from '../ports.ts';
import { Refused } from '../refused.ts';

export interface InitLimits {
  maxFileSize: number;
  uploadExpiryHours: number;
}

export async function initUpload(
  kept: Kept,
  request: Extract<UploadsRequest, { op: 'init' }>,
  { kinds, limits, now }: { kinds: Kinds; limits: InitLimits; now: number },
): Promise<UploadRecord> {
  const name = kinds.safeFileName(request.fileName);
  if (name === null) throw new Refused('FILE_NAME_INVALID');
  if (!kinds.allowedName(name)) throw new Refused('FILE_TYPE_NOT_ALLOWED');
  const { size, sub: owner, conversation, mode } = request;
  if (size === 0) throw new Refused('FILE_EMPTY');
  if (size < 0) throw new Refused('INVALID_FIELD');
  if (size > limits.maxFileSize) throw new Refused('FILE_TOO_LARGE');
  const upload: UploadRecord = {
    id: randomUUID(),
    owner,
    ownerName: request.name,
    conversation,
    name,
    size,
    declaredType: mimeType(request.declaredType),
    mode,
    totalChunks: null,
    createdAt: now,
    expiresAt: now + limits.uploadExpiryHours * 3_600_000,
    refused: null,
  };
  await kept.ledger.reserve(owner, upload.id, size, upload.expiresAt);
  try {
    // CONFLICT: an acknowledgement was lost; nobody else has this id.
    await unlessConflict(kept.uploads.create({ upload, decided: null }));
  } catch (error) {
    // It may have been written all the same. What can't be taken back now expires.
    await Promise.allSettled([kept.uploads.remove(owner, upload.id), kept.ledger.release(owner, upload.id)]);
    throw error;
  }
  return upload;
}

/** As declared, if it looks like one (RFC 6838, section 4.2); nothing goes by it. */
function mimeType(declared: string | null): string | null {
  const match = /^\s*([A-Za-z0-9][\w!#$&^.+-]{0,62}\/[A-Za-z0-9][\w!#$&^.+-]{0,62})/.exec(declared ?? '');
  return match?.[1]?.toLowerCase() ?? null;
}
