/** What has arrived of an upload, as clients are told. */
import type { UploadProgress, UploadRecord } from '@natter/proto';
import { bytesOf, chain, inOrder, type Part } from '../parts/part.ts';

export function progressOf(upload: UploadRecord, parts: readonly Part[]): UploadProgress {
  const { id, name, conversation, size, mode, totalChunks, expiresAt } = upload;
  const ordered = mode === 'indexed' ? inOrder(parts) : [];
  const offset = mode === 'indexed' ? bytesOf(ordered) : chain(parts).end;
  const received = ordered.map(({ at }) => at);
  return { id, name, conversation, size, mode, received, totalChunks, offset, expiresAt };
}
