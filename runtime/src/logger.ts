/** Log lines: one JSON object each on standard output, secrets redacted. */
import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino';

export type { Logger };

/** Keys whose values are replaced wherever they stand in a line's fields, two levels deep. */
const SECRET_KEYS = [
  'token',
  'access_token',
  'refresh_token',
  'authorization',
  'cookie',
  'apiKey',
  'secret',
  'password',
  'seed',
];

/** A JWT or a bearer secret inside a text, such as the message of an error. */
const SECRET_TEXT =
  /\beyJ[\w-]+\.[\w-]+\.[\w-]*|\bBearer\s+\S+|\bsk-[\w-]{8,}|([?&](?:access_)?token=)[^&\s"']+/gi;

/** The text without what looks like a credential. */
export function redactText(text: string): string {
  return text.replace(SECRET_TEXT, (_match, prefix: string | undefined) => `${prefix ?? ''}[redacted]`);
}

/** Writes to standard output unless another `destination` is given. */
export function createLogger(service: string, level: string, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: { service, pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    serializers: { err: serializeError },
    hooks: {
      // Errors of libraries carry URLs and headers in their texts; a path list can't reach those.
      logMethod(args, method) {
        const safe: unknown[] = args.map((arg) => (typeof arg === 'string' ? redactText(arg) : arg));
        // Without a text of its own the line would get the error's, as it is.
        if (safe.length === 1) safe.push(...messageOf(args[0]));
        method.apply(this, safe as Parameters<typeof method>);
      },
    },
  };
  return pino(options, destination);
}

function messageOf(subject: unknown): string[] {
  const error = subject instanceof Error ? subject : (subject as { err?: unknown } | null)?.err;
  return error instanceof Error ? [redactText(error.message)] : [];
}

function serializeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: redactText(String(error)) };
  const code = (error as { code?: unknown }).code;
  return {
    type: error.name,
    message: redactText(error.message),
    ...(code === undefined ? {} : { code }),
    stack: redactText(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause) }),
  };
}
