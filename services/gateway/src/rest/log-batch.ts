/** The body of POST /api/logs: one JSON object, or one a line. */
import { parseObject } from '../dialects/json-object.ts';

/** Lines of one request. */
export const MAX_LINES = 1_000;

/** Of one line: what LOGS takes over NATS, too. More can hold up the event loop for a second. */
export const MAX_LINE_BYTES = 64 * 1024;

export interface BatchLine {
  /** Counted from 0, blank ones too. */
  index: number;
  bytes: Uint8Array;
}

/** Null for more lines than one request may bring; empty where there is none. */
export function logBatch(body: Uint8Array): BatchLine[] | null {
  // One object over several lines, as people write it by hand.
  if (body.length <= MAX_LINE_BYTES && parseObject(body) !== null) return [{ index: 0, bytes: body }];
  const lines: BatchLine[] = [];
  let index = 0;
  for (let start = 0; start < body.length; index += 1) {
    const end = body.indexOf(0x0a, start);
    const bytes = body.subarray(start, end === -1 ? body.length : end);
    start = end === -1 ? body.length : end + 1;
    if (isBlank(bytes)) continue;
    if (lines.length === MAX_LINES) return null;
    lines.push({ index, bytes });
  }
  return lines;
}

/** Or why it has none; an array or a number is no JSON here either. */
export function batchValue({ bytes }: BatchLine): Record<string, unknown> | 'too long' | 'not JSON' {
  if (bytes.length > MAX_LINE_BYTES) return 'too long';
  return parseObject(bytes) ?? 'not JSON';
}

/** Spaces, tabs and carriage returns only. */
function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
