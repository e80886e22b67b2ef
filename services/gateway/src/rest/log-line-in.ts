/** Lines that come by HTTP: checked, completed, without secrets, and not longer than LOGS takes. */
import {
  GENERAL,
  LOG_LEVELS,
  LOG_LINE_BYTES,
  type LogLevel,
  LogName,
  OWN_SERVICES,
  SUBJECTS,
} from '@natter/proto';
import { isSecretKey, redactText, truncatedLine } from '@natter/runtime';

export interface LineIn {
  subject: string;
  /** JSON as in proto's LogLine. */
  data: string;
}

/** The field that can't be used, or what is wrong with the line. */
export type LineProblem = 'msg' | 'level' | 'service' | 'category' | 'reserved service' | 'too deep';

/** Service of a line that names none. */
const EXTERNAL = 'external';

const RESERVED: readonly string[] = OWN_SERVICES;

/** A line as it is stored, or why it can't be. */
export function lineIn(value: Record<string, unknown>, nowMs: number): LineIn | LineProblem {
  const { level: levelIn, time, service: serviceIn, category: categoryIn, msg, ...fields } = value;
  if (typeof msg !== 'string' || msg === '') return 'msg';
  const level = levelOf(levelIn);
  if (level === null) return 'level';
  const service = nameOf(serviceIn, EXTERNAL);
  if (service === null) return 'service';
  if (RESERVED.includes(service.toLowerCase())) return 'reserved service';
  const category = nameOf(categoryIn, GENERAL);
  if (category === null) return 'category';
  const head = { level, time: timeOf(time, nowMs), service, category };
  const data = written(head, msg, fields);
  return data === null ? 'too deep' : { subject: SUBJECTS.log(service, level, category), data };
}

/** By name, or by pino's number; info where there is none. */
function levelOf(level: unknown): LogLevel | null {
  if (level === undefined) return 'info';
  if (typeof level === 'number') return LOG_LEVELS[level / 10 - 1] ?? null;
  const name = typeof level === 'string' ? level.toLowerCase() : '';
  return LOG_LEVELS.find((one) => one === name) ?? null;
}

function nameOf(name: unknown, otherwise: string): string | null {
  if (name === undefined) return otherwise;
  const parsed = LogName.safeParse(name);
  return parsed.success ? parsed.data : null;
}

/** RFC 3339, from a text or pino's milliseconds; now where it is none. */
function timeOf(time: unknown, nowMs: number): string {
  const date = new Date(typeof time === 'number' || typeof time === 'string' ? time : Number.NaN);
  return new Date(Number.isNaN(date.getTime()) ? nowMs : date).toISOString();
}

/** Null for fields that are nested too deeply to be written. */
function written(head: object, msg: string, fields: Record<string, unknown>): string | null {
  let whole: string;
  try {
    whole = redactText(JSON.stringify({ ...head, msg, ...fields }, withoutSecrets));
  } catch {
    return null;
  }
  if (Buffer.byteLength(whole) <= LOG_LINE_BYTES) return whole;
  // First the secrets: half of one would not be known for one.
  return truncatedLine({ ...head, traceId: fields.traceId, msg: redactText(msg) });
}

function withoutSecrets(key: string, value: unknown): unknown {
  return isSecretKey(key) ? '[redacted]' : value;
}
