/** The arguments of `npm run logs`. */
import { parseArgs } from 'node:util';
import { LOG_LEVELS, type LogFilter, LogName } from '@natter/proto';

export const USAGE = `usage: npm run -s logs -- [--service <name>] [--level <level>] [--category <name>] [--tail <lines>]
                           [--url <gateway>] [--key <key>] [--json]
  --service   lines of one service, such as agent
  --level     the least severe level: ${LOG_LEVELS.join(', ')}
  --category  lines of one category, such as general
  --tail      so many lines of those that are there already, 0 to 1000; default 50
  --url       a gateway; default: the one of this machine
  --key       an API key that may read logs; default: NATTER_API_KEY, then LOGS_API_KEY, then, for a gateway
              of this machine, an access token signed with the keys in NATTER_DATA_DIR
  --json      each line as JSON, for programs
  --help      this text`;

/** The arguments can't be used; the message says why. */
export class BadArguments extends Error {
  readonly code = 'BAD_ARGUMENTS';
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'BadArguments';
  }
}

export interface LogsArguments {
  filter: LogFilter;
  tail: number;
  /** Null: the gateway of this machine. */
  url: URL | null;
  key: string | null;
  json: boolean;
}

/** Whether somebody wants to read USAGE, whatever else the arguments say. */
export function asksForHelp(args: string[]): boolean {
  return args.includes('--help') || args.includes('-h');
}

/** Throws BadArguments. */
export function readArguments(args: string[]): LogsArguments {
  const { service, level, category, tail = '50', url, key, json = false } = split(args);
  if (key === '') fail('--key is empty');
  return {
    filter: {
      service: name('--service', service),
      level: LOG_LEVELS.find((one) => one === level) ?? noLevel(level),
      category: name('--category', category),
    },
    tail: lines(tail),
    url: url === undefined ? null : gatewayUrl(url),
    key: key ?? null,
    json,
  };
}

function name(flag: string, text: string | undefined): string | null {
  if (text === undefined || LogName.safeParse(text).success) return text ?? null;
  return fail(`${flag} must have 1 to 64 letters, digits, dots, - and _`);
}

function noLevel(text: string | undefined): null {
  return text === undefined ? null : fail(`--level must be one of ${LOG_LEVELS.join(', ')}`);
}

function lines(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= 1_000) return Number(text);
  return fail('--tail must be a whole number from 0 to 1000');
}

function gatewayUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) fail('--url must be an http or https URL');
  // It would show in messages, and fetch refuses it.
  if (url.username !== '' || url.password !== '') fail('--url must not hold a password; use --key');
  return url;
}

function split(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: false,
      options: {
        service: { type: 'string' },
        level: { type: 'string' },
        category: { type: 'string' },
        tail: { type: 'string' },
        url: { type: 'string' },
        key: { type: 'string' },
        json: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new BadArguments(error instanceof Error ? error.message : String(error), error);
  }
}

function fail(message: string): never {
  throw new BadArguments(message);
}
