/** The tool servers a client wants used: header `aditional_servers` (sic), or the first frame. */
import { ToolServer, type TurnOptions } from '@natter/proto';
import { z } from 'zod';
import { parseLiteral } from './python-literal.ts';
import { refusalOfUrl } from './server-url.ts';

/** Servers of one question, used and refused each; as in the schema `TurnOptions`. */
const MAX_SERVERS = 16;
/** Entries that are looked at; a frame could hold thousands. */
const MAX_LOOKED_AT = 64;
const MAX_HEADERS = 32;
const NAME_CHARS = 64;

export type AdditionalServers = Pick<TurnOptions, 'toolServers' | 'refusedServers'>;

/** Names are tokens of RFC 9110 section 5.6.2; no value may begin a header of its own. */
const Headers = z
  .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), z.string().regex(/^[^\r\n\0]*$/))
  .refine((headers) => Object.keys(headers).length <= MAX_HEADERS);

/** An entry as the original's configuration has it; Python's None comes as null. */
const Entry = z.object({
  protocol: z.string().nullish(),
  'httpstream-url': z.string().nullish(),
  name: z.string().nullish(),
  description: z.string().nullish(),
  headers: Headers.nullish(),
  /** The original has an object here; it is handed on as JSON. */
  auth: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
});

/** Reads the text of the header; empty, `None` and what can't be read mean none. */
export function parseAdditionalServers(text: string): AdditionalServers {
  if (text === '') return {};
  const value = parseLiteral(text);
  if (typeof value === 'object') return additionalServers(value);
  // Quotes around the whole, as in the seed's example: a shell's, which escape nothing, or `repr`'s.
  const inner = /^(['"]).*\1$/.test(text) ? parseLiteral(text.slice(1, -1)) : undefined;
  return additionalServers(inner ?? (typeof value === 'string' ? parseLiteral(value) : undefined));
}

/** Sorts the entries of a list, or of an object by name, into those of use and the others. */
export function additionalServers(value: unknown): AdditionalServers {
  const toolServers: ToolServer[] = [];
  const refusedServers: NonNullable<TurnOptions['refusedServers']> = [];
  const entries = namedEntries(value);
  let left = Math.max(0, entries.length - MAX_LOOKED_AT);
  for (const [key, entry] of entries.slice(0, MAX_LOOKED_AT)) {
    const judged = judge(key, entry);
    const reason = judged.ok ? whyNot(judged.server, toolServers) : judged.reason;
    if (judged.ok && reason === null) toolServers.push(judged.server);
    else if (refusedServers.length < MAX_SERVERS - 1) {
      refusedServers.push({ name: shortened(judged.name), reason: reason ?? '' });
    } else left += 1;
  }
  // Whatever was left out is told, if only by its number.
  if (left > 0) refusedServers.push({ name: `${left} more`, reason: 'too many entries' });
  return {
    ...(toolServers.length > 0 && { toolServers }),
    ...(refusedServers.length > 0 && { refusedServers }),
  };
}

/** An entry without a name is called by its place. */
function namedEntries(value: unknown): [name: string, entry: unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  const isList = Array.isArray(value);
  return Object.entries(value).map(([key, entry], index) => [
    isList || key === '' ? `#${index + 1}` : key,
    entry,
  ]);
}

type Judged = { ok: true; name: string; server: ToolServer } | { ok: false; name: string; reason: string };

function judge(key: string, value: unknown): Judged {
  const parsed = Entry.safeParse(value);
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path[0];
    return {
      ok: false,
      name: key,
      reason: field === undefined ? 'no object' : `${String(field)} can't be used`,
    };
  }
  const entry = parsed.data;
  const name = entry.name || key;
  // A client could have the gateway's machine start any program.
  if (entry.protocol === 'stdio') return { ok: false, name, reason: 'stdio is not accepted from clients' };
  if (entry.protocol && entry.protocol !== 'httpstream') {
    return { ok: false, name, reason: 'protocol is not httpstream' };
  }
  const url = entry['httpstream-url'] ?? '';
  const refusal = refusalOfUrl(url);
  if (refusal !== null) return { ok: false, name, reason: refusal };
  const server = ToolServer.safeParse({
    name: name.toWellFormed(),
    protocol: 'httpstream',
    url,
    description: entry.description ?? undefined,
    headers: entry.headers ?? undefined,
    auth:
      typeof entry.auth === 'object' && entry.auth !== null
        ? JSON.stringify(entry.auth)
        : (entry.auth ?? undefined),
  });
  if (server.success) return { ok: true, name, server: server.data };
  return { ok: false, name, reason: `${String(server.error.issues[0]?.path[0])} is too long` };
}

function whyNot(server: ToolServer, before: ToolServer[]): string | null {
  if (before.length >= MAX_SERVERS) return `more than ${MAX_SERVERS} servers`;
  return before.some(({ name }) => name === server.name) ? 'the name is used twice' : null;
}

/** Cut between characters, never inside of one. */
function shortened(name: string): string {
  return name
    .slice(0, NAME_CHARS)
    .replace(/[\ud800-\udbff]$/, '')
    .toWellFormed();
}
