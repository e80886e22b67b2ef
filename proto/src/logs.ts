/** Log lines on the bus: what LOGS keeps, and where a line is published. */
import { z } from 'zod';
import { encodeToken } from './ids.ts';

/** Least severe first. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Services of ours: nobody else may publish lines under these names. */
export const OWN_SERVICES = ['gateway', 'agent', 'auth', 'uploads'] as const;

/** A name of a service or a category: short, and readable in a terminal. */
export const LogName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);

/** Bytes of a line in LOGS; longer ones lose their fields, then the end of their text. */
export const LOG_LINE_BYTES = 16 * 1024;

/**
 * A line as it is stored: pino's JSON. Fields besides these are the line's own.
 *
 * Lines that came over NATS from outside are checked when they are read: a bad one is shown as text.
 */
export const LogLine = z.looseObject({
  level: z.enum(LOG_LEVELS),
  /** RFC 3339. */
  time: z.string().max(40),
  service: z.string().max(64),
  category: z.string().max(64).default('general'),
  msg: z.string().default(''),
  traceId: z.string().max(64).optional(),
});
export type LogLine = z.infer<typeof LogLine>;

/** Category of a line that names none. */
export const GENERAL = 'general';

/** Which lines a reader wants; null: all. `level` is the least severe one. */
export interface LogFilter {
  service: string | null;
  level: LogLevel | null;
  category: string | null;
}

/** Tokens that match a filter, `*` for all: one triple for each level. */
export function logTokens({ service, level, category }: LogFilter): [string, string, string][] {
  const levels = level === null || level === 'trace' ? ['*'] : LOG_LEVELS.slice(LOG_LEVELS.indexOf(level));
  const token = (name: string | null) => (name === null ? '*' : encodeToken(name));
  return levels.map((one) => [token(service), one, token(category)]);
}
