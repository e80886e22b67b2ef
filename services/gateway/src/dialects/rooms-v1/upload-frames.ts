/** What rooms-v1 tells whoever uploads a file. */
import type { Notice } from '../../session/dialect.ts';
import { percent } from './place-frames.ts';
import { frame, isoTime, where } from './wire.ts';

type UploadNotice = Extract<Notice, { type: 'upload' | 'uploaded' }>;

export function uploadFrame(notice: UploadNotice): string {
  const place = notice.place === null ? {} : where(notice.place);
  if (notice.type === 'uploaded') {
    const { file } = notice;
    return frame('file_upload', {
      upload_type: 'finalize',
      status: file.state,
      file_id: file.id,
      file_name: file.name,
      file_size: file.size,
      mime_type: file.type,
      checksum: file.sha256,
      url: `/api/v1/files/${file.id}`,
      timestamp: isoTime(notice.atMs),
      ...place,
    });
  }
  const { progress, step } = notice;
  return frame('file_upload', {
    upload_type: step,
    status: STATUS[step],
    file_id: progress.id,
    file_name: progress.name,
    file_size: progress.size,
    chunk_index: notice.index ?? undefined,
    received_chunks: progress.received.length,
    received: step === 'status' ? progress.received : undefined,
    total_chunks: progress.totalChunks ?? undefined,
    received_bytes: progress.offset,
    progress: percent(progress.offset, progress.size),
    message_id: notice.messageId ?? undefined,
    expires_at: isoTime(progress.expiresAt),
    timestamp: isoTime(notice.atMs),
    ...place,
  });
}

const STATUS = {
  init: 'initialized',
  chunk: 'received',
  status: 'receiving',
  cancel: 'cancelled',
} as const;
