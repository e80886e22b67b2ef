/** A line of the logger as it goes to the bus: its category, and not longer than LOGS takes. */
import { GENERAL, LOG_LINE_BYTES, LogName } from '@natter/proto';

export interface ShippedLine {
  /** JSON as in proto's LogLine. */
  text: string;
  /** Bytes of `text` in UTF-8. */
  bytes: number;
  category: string;
}

/**
 * Prepares what pino wrote, without its newline.
 *
 * Most lines stay as they are and are never parsed. One above LOG_LINE_BYTES loses its fields, then
 * the end of its text, and says `truncated`.
 */
export function shippedLine(line: string): ShippedLine {
  const bytes = Buffer.byteLength(line);
  const short = bytes <= LOG_LINE_BYTES;
  if (short && !line.includes('"category":')) return { text: line, bytes, category: GENERAL };
  const fields = parse(line);
  const named = LogName.safeParse(fields.category);
  const category = named.success ? named.data : GENERAL;
  // A field of that name deeper down is nobody's category.
  if (short && (named.success || fields.category === undefined)) return { text: line, bytes, category };
  const text = short ? JSON.stringify({ ...fields, category }) : truncatedLine({ ...fields, category });
  return { text, bytes: Buffer.byteLength(text), category };
}

function parse(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line);
  } catch {
    // Somebody wrote to the destination by hand: readers show it as text.
    return { msg: line };
  }
}

/** A line above LOG_LINE_BYTES without its fields, and without the end of its text. */
export function truncatedLine(fields: Record<string, unknown>): string {
  const { level, time, service, category, traceId, msg } = fields;
  const kept = {
    level,
    time,
    service,
    category,
    ...(typeof traceId === 'string' && traceId.length <= 64 ? { traceId } : {}),
    truncated: true,
  };
  const room = LOG_LINE_BYTES - Buffer.byteLength(JSON.stringify({ ...kept, msg: '' }));
  return JSON.stringify({ ...kept, msg: cut(typeof msg === 'string' ? msg : '', room) });
}

/** The beginning of a text that takes at most `room` bytes as JSON, quotes not counted. */
function cut(text: string, room: number): string {
  let start = text.slice(0, room);
  for (;;) {
    const bytes = Buffer.byteLength(JSON.stringify(start)) - 2;
    if (bytes <= room) return start;
    // Control characters take up to six bytes each; each turn comes closer from above.
    start = start.slice(0, Math.floor((start.length * room) / bytes));
  }
}
