/** Errors of rooms-v1, in the words its clients know. Source: PROTOCOLS, rooms-v1, Error texts. */
import { ERRORS, type ErrorCode, type RunEvent } from '@natter/proto';
import type { ErrorDetail, RunText } from '../../session/dialect.ts';
import { frame, where } from './wire.ts';

const TEXTS: { readonly [code in ErrorCode]?: string } = {
  EMPTY_MESSAGE: 'Message content required',
  INTERNAL: 'Message processing error',
};

/** `error`, `code` and `retry_after` are the seed's. */
export function errorFrame(code: ErrorCode, detail: ErrorDetail): string {
  const text = code === 'PROCESSING_ERROR' ? aiError(code) : (TEXTS[code] ?? ERRORS[code].text);
  return frame('error', {
    error: detail.detail === undefined ? text : `${text}: ${detail.detail}`,
    code,
    retry_after: detail.retryAfter,
    correlation_id: detail.correlationId,
    message_id: detail.messageId,
    file_id: detail.file,
    chunk_index: detail.chunk,
    missing: detail.missing,
  });
}

/** The last frame of a run that failed. */
export function failedFrame(event: Extract<RunEvent, { type: 'run.failed' }>, run: RunText): string {
  const data = {
    error: aiError(event.code),
    code: event.code,
    correlation_id: event.correlationId,
    message_id: run.asked?.messageId ?? null,
    id: run.run,
    ...where(run),
  };
  return frame('error', data, run.cursor);
}

function aiError(code: ErrorCode): string {
  return `AI processing error: ${ERRORS[code].text}`;
}
