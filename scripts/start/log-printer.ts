/** Turns the JSON log lines of the services into lines a person reads in a terminal. */
import { printable } from './printable.ts';

const LABELS: Record<string, string> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info ',
  warn: 'WARN ',
  error: 'ERROR',
  fatal: 'FATAL',
};

/** Fields shown in another place, or the same in every line. */
const HIDDEN = new Set(['level', 'time', 'service', 'pid', 'hostname', 'msg', 'err']);

/** `12:34:56 gateway  WARN  what happened  key=value`. */
export function formatLine(source: string, line: string): string {
  const fields = parse(line);
  if (fields === null) return printable(`${source}: ${line}`);
  const time = String(fields.time ?? '').slice(11, 19);
  const level = LABELS[String(fields.level)] ?? String(fields.level);
  const rest = Object.entries(fields)
    .filter(([key]) => !HIDDEN.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const parts = [`${time} ${source.padEnd(8)} ${level}`, fields.msg, ...rest, ...errorText(fields.err)];
  return printable(parts.filter((part) => part !== undefined && part !== '').join('  '));
}

/** The first line of an error says what happened; its stack is for debug levels and log files. */
function errorText(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { message, code, cause } = error as Record<string, unknown>;
  // Of a line of somebody else these may be anything.
  const said = [code, message].filter((part) => typeof part === 'string' || typeof part === 'number');
  return [`(${[...said, ...errorText(cause)].join(' ')})`];
}

function parse(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
