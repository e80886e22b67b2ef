/** Log lines: one JSON object each on standard output and, shipped, on the bus; secrets redacted. */
import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino';

export type { Logger };

/** How keys end whose values are replaced, at any depth and in any case; searched in one pass, however long. */
const SECRET_NAME = '(?:token|authorization|cookie|api[_-]?key|secret|password|seed)';
const SECRET_KEY = new RegExp(`${SECRET_NAME}$`, 'i');
/** Whether there is any: few lines have one, and only those are parsed. */
const HAS_SECRET_KEY = new RegExp(`${SECRET_NAME}":`, 'i');

/** Where a word begins: also behind a line break that JSON has escaped. */
const START = String.raw`(?:\b|(?<=\\(?:[bfnrt]|u[\da-f]{4})))`;

/**
 * What looks like a credential inside a text, such as the message of an error: a JWT or the beginning of
 * one, a bearer secret, a key of a model provider, one of ours, the seed of an nkey, who signs in with a
 * URL, and what follows `token=` or `"token":"` and the like.
 *
 * Nothing of it goes past a quote or a backslash, so that a line of JSON stays one. Texts come from
 * anybody, up to 1 MiB: what is looked at far ahead is also matched, so that it is looked at once.
 */
const SECRET_TEXT = new RegExp(
  [
    String.raw`${START}eyJ(?:[\w-]{12,}(?:\.[\w-]*){0,2}|[\w-]{1,11}\.[\w-]+\.[\w-]*)`,
    String.raw`${START}Bearer\s+[^\s"\\]+`,
    String.raw`${START}(?:sk-|nk_)[\w-]{8,}`,
    String.raw`${START}SU[A-Z2-7]{56}\b`,
    String.raw`(?<=:\/\/)[^\s/?#@"\\]+(?=@)`,
    String.raw`(?<after>(?:token|api[_-]?key|secret|password)(?:=|%3D))[^&\s"'#\\]+`,
    // JSON within a text, however often it was escaped.
    String.raw`(?<quoted>${SECRET_NAME}\\*"\s*:\s*\[?\s*\\*")[^"\\]+`,
    String.raw`(?<header>(?:authorization|api[_-]?key):\s*(?:(?:Basic|Bearer|Digest|Token)\s+)?)[^\s"'\\]+`,
  ].join('|'),
  'gi',
);

/** Secrets of this process, in the forms in which a text may have them; null: none. */
let ownSecrets: RegExp | null = null;
const ownForms = new Set<string>();
/** Shorter ones would be found in words that are none. */
const LEAST_SECRET_CHARS = 8;

/**
 * From now on these texts appear in no line, whatever is around them: those that quote a secret
 * of our settings, as a model server does that refuses a key, need not say what it is.
 *
 * Called once or twice, when a process starts.
 */
export function hideSecrets(secrets: readonly string[]): void {
  for (const secret of secrets) {
    if (secret.length < LEAST_SECRET_CHARS) continue;
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
      ownForms.add(form);
  }
  // The longest first: one may be the beginning of another.
  const forms = [...ownForms].sort((one, other) => other.length - one.length);
  const escaped = forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  ownSecrets = forms.length === 0 ? null : new RegExp(escaped.join('|'), 'g');
}

/** The text without what looks like a credential, and without the secrets of this process. */
export function redactText(text: string): string {
  const known = ownSecrets === null ? text : text.replace(ownSecrets, '[redacted]');
  return known.replace(SECRET_TEXT, (...match) => {
    const { after, quoted, header } = match.at(-1) as Record<string, string | undefined>;
    return `${after ?? quoted ?? header ?? ''}[redacted]`;
  });
}

/** Whether what is under this key goes nowhere. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key);
}

/** A line of JSON without the values of secret keys, and without credentials in its texts. */
function redactLine(line: string): string {
  const safe = redactText(line);
  if (!HAS_SECRET_KEY.test(safe)) return safe;
  const fields = JSON.parse(safe, (key, value) => (isSecretKey(key) ? '[redacted]' : value));
  return `${JSON.stringify(fields)}\n`;
}

/** A second destination, with a level of its own. */
export interface SecondDestination {
  level: string;
  stream: DestinationStream;
}

/** Writes to standard output unless another `destination` is given, and to `second`; `fields` are in each line. */
export function createLogger(
  service: string,
  level: string,
  destination?: DestinationStream,
  second?: SecondDestination,
  fields: Record<string, number> = {},
): Logger {
  const options: LoggerOptions = {
    level: second === undefined ? level : lower(level, second.level),
    base: { service, pid: process.pid, ...fields },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: serializeError },
    hooks: {
      // Errors of libraries carry URLs and headers in their texts; a path list can't reach those.
      logMethod(args, method) {
        const safe: unknown[] = args.map((arg) => (typeof arg === 'string' ? redactText(arg) : arg));
        // Without a text of its own the line would get the error's, as it is.
        if (safe.length === 1) safe.push(...messageOf(args[0]));
        try {
          method.apply(this, safe as Parameters<typeof method>);
        } catch (error) {
          // A field with a getter or a toJSON that throws: the line matters more than its fields.
          const text = safe.find((arg) => typeof arg === 'string') ?? 'a log line could not be written';
          method.apply(this, [{ unwritable: redactText(String(error)) }, text] as Parameters<typeof method>);
        }
      },
      // Fields at any depth, and those of child loggers. pino's own list of paths costs 18 µs a line.
      streamWrite: redactLine,
    },
  };
  if (second === undefined) return pino(options, destination);
  const streams = [{ level, stream: destination ?? pino.destination(1) }, second];
  return pino(options, pino.multistream(streams as Parameters<typeof pino.multistream>[0]));
}

/** The less severe one of two levels. */
function lower(first: string, second: string): string {
  const severity = (level: string) => pino.levels.values[level] ?? Number.POSITIVE_INFINITY;
  return severity(first) <= severity(second) ? first : second;
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
