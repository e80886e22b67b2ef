/** Reads a stored line, whatever bytes somebody outside has published: it never throws. */
import { decodeToken, GENERAL, LOG_LEVELS, LOG_LINE_BYTES, type LogLevel, OWN_SERVICES } from '@natter/proto';
import { isSecretKey, redactText } from '@natter/runtime';
import type { ShownLine } from '../../session/logs/log-wire.ts';

const OWN: readonly string[] = OWN_SERVICES;

/** A line as the bus brings it. */
export interface RawLine {
  seq: number;
  /** In LOGS: `log.<service>.<level>.<category>`. */
  subject: string;
  /** When the broker stored it, in milliseconds since 1970. */
  timeMs: number;
  data: Uint8Array;
}

/**
 * Service, level and category are those of the subject: that is what the broker lets a publisher
 * say, while the body could name any service.
 */
export function shownLine({ seq, subject, timeMs, data }: RawLine): ShownLine {
  const [, service = '', level = '', category = ''] = subject.split('.');
  // Ours are without secrets when they are written, and nobody else may publish under our names.
  const isOwn = OWN.includes(service);
  const line = parsed(data, isOwn);
  const { text, traceId, fields } = line ?? {
    text: isOwn ? textOf(data) : textOf(Buffer.from(redactText(bufferOf(data).toString()))),
    traceId: null,
    fields: cutMark(data),
  };
  return {
    seq,
    level: LOG_LEVELS.includes(level as LogLevel) ? (level as LogLevel) : 'info',
    service: decodeToken(service) ?? service,
    category: decodeToken(category) ?? (category || GENERAL),
    time: line?.time ?? timeText(timeMs),
    text,
    traceId,
    fields,
  };
}

type Parsed = Pick<ShownLine, 'text' | 'traceId' | 'fields'> & { time: string | null };

/** Null for what is shown as text: no object, or one without a text of its own. */
function parsed(data: Uint8Array, isOwn: boolean): Parsed | null {
  let value: unknown;
  try {
    const json = bufferOf(data).toString();
    value = isOwn ? JSON.parse(json) : JSON.parse(redactText(json), withoutSecrets);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { level, service, category, time, msg, traceId, ...fields } = value as Record<string, unknown>;
  if (typeof msg !== 'string' || msg === '') return null;
  const isLong = data.byteLength > LOG_LINE_BYTES;
  return {
    text: isLong ? textOf(Buffer.from(msg)) : msg,
    traceId: typeof traceId === 'string' && traceId.length <= 64 ? traceId : null,
    fields: isLong ? { truncated: true } : fields,
    time: isTime(time) ? time : null,
  };
}

function withoutSecrets(key: string, value: unknown): unknown {
  return isSecretKey(key) ? '[redacted]' : value;
}

function isTime(time: unknown): time is string {
  return typeof time === 'string' && time.length <= 40 && /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(time);
}

/** At most 16 KiB; bytes that are no UTF-8 become U+FFFD. */
function textOf(data: Uint8Array): string {
  return bufferOf(data).subarray(0, LOG_LINE_BYTES).toString();
}

function cutMark(data: Uint8Array): Record<string, unknown> {
  return data.byteLength > LOG_LINE_BYTES ? { truncated: true } : {};
}

/** Without copying; its `toString` takes half the time of a TextDecoder for lines of this size. */
function bufferOf(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function timeText(timeMs: number): string {
  return new Date(Number.isFinite(timeMs) ? timeMs : 0).toISOString();
}
