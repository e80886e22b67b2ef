/** The body of POST /api/logs: one JSON object, or one a line. */
import { parseObject } from '../dialects/json-object.ts';

/** Lines of one request. */
export const MAX_LINES = 1_000;

export interface BatchLine {
  /** Counted from 0, blank ones too. */
  index: number;
  /** Null for what is no JSON object. */
  value: Record<string, unknown> | null;
}

/** Null for more lines than one request may bring; empty where there is none. */
export function logBatch(body: Uint8Array): BatchLine[] | null {
  // One object over several lines, as people write it by hand.
  const whole = parseObject(body);
  if (whole !== null) return [{ index: 0, value: whole }];
  const lines: BatchLine[] = [];
  let index = 0;
  for (let start = 0; start < body.length; index += 1) {
    const end = body.indexOf(0x0a, start);
    const bytes = body.subarray(start, end === -1 ? body.length : end);
    start = end === -1 ? body.length : end + 1;
    if (isBlank(bytes)) continue;
    if (lines.length === MAX_LINES) return null;
    lines.push({ index, value: parseObject(bytes) });
  }
  return lines;
}

/** Spaces, tabs and carriage returns only. */
function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
