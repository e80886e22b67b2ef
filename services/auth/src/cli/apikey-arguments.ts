/** The arguments of `npm run apikey`. */
import { parseArgs } from 'node:util';
import { ApiKeyInfo, ApiKeysRequest } from '@natter/proto';
import { z } from 'zod';
import { BadArguments } from './arguments.ts';
import { parseTtl } from './ttl.ts';

export const APIKEY_USAGE = `usage: npm run -s apikey -- create --name <name> --scope <scope>... [--ttl <time>]
       npm run -s apikey -- list
       npm run -s apikey -- revoke <id>
  --name   what the key is for, 1 to 64 characters
  --scope  logs:read, logs:write or admin; may be given several times
  --ttl    how long it is good: 30s, 15m, 12h, 90d; at most 3660d; default: until it is revoked
  --url    the gateway; default http://127.0.0.1:<PORT, or 8000>
  --help   this text
NATTER_ADMIN_TOKEN: an access token or API key of an admin; unset: a token is signed with the local
  key, for a gateway on this machine only.
exit codes: 0 done, 1 refused or failed, 2 arguments or settings, 3 no gateway answers, 4 no such key`;

export type ApiKeyCommand = ApiKeysRequest & {
  /** Null: the gateway on this machine. */
  url: string | null;
};

const [Create] = ApiKeysRequest.options;
const MAX_TTL_S = 10 * 366 * 86_400;

const Url = z.string().transform((text, context) => {
  const { protocol = '', origin, pathname, href } = URL.parse(text) ?? {};
  // Nothing behind the path, and no password, which an error would show.
  if (/^https?:$/.test(protocol) && href === `${origin}${pathname}`) return href.replace(/\/+$/, '');
  context.addIssue('--url must be an http or https URL without a query or password');
  return z.NEVER;
});

const Ttl = z.string().transform((text, context) => {
  const ttlS = parseTtl(text, MAX_TTL_S);
  if (ttlS !== null) return ttlS;
  context.addIssue('--ttl must be like 30s, 15m, 12h or 90d, and at most 3660d');
  return z.NEVER;
});

const Options = z.object({
  name: z.string().optional(),
  scope: z.array(z.string()).optional(),
  ttl: Ttl.optional(),
  url: Url.optional(),
});

/** Throws BadArguments. */
export function readApiKeyArguments(args: string[]): ApiKeyCommand {
  const { values, positionals } = split(args);
  const parsed = Options.safeParse(values);
  if (!parsed.success) throw new BadArguments(parsed.error.issues.map((issue) => issue.message).join('; '));
  const { name, scope, ttl, url = null } = parsed.data;
  const [op, id, ...more] = positionals;
  if (op !== 'create' && (name ?? scope ?? ttl) !== undefined)
    throw new BadArguments('--name, --scope and --ttl are for create');
  if (more.length > 0 || (id !== undefined && op !== 'revoke'))
    throw new BadArguments(`${more[0] ?? id}: one word too many`);
  if (op === 'create') return { url, ...create(name, scope ?? [], ttl) };
  if (op === 'list') return { op, url };
  if (op === 'revoke') return { op, id: keyId(id), url };
  throw new BadArguments(op === undefined ? 'create, list or revoke?' : `${op}: not create, list or revoke`);
}

function create(name: string | undefined, scopes: string[], ttlS: number | undefined) {
  const named = Create.shape.name.safeParse(name);
  if (!named.success) throw new BadArguments('--name must be a text of 1 to 64 characters');
  const scoped = Create.shape.scopes.safeParse([...new Set(scopes)]);
  if (!scoped.success) throw new BadArguments('--scope must be logs:read, logs:write or admin');
  return { op: 'create', name: named.data, scopes: scoped.data, ttlS } as const;
}

function keyId(text: string | undefined): string {
  if (text === 'environment')
    throw new BadArguments('the key of LOGS_API_KEY is a setting of the auth service; change it there');
  const id = ApiKeyInfo.shape.id.safeParse(text);
  if (!id.success)
    throw new BadArguments('an id has 16 letters and digits; `list` shows those that there are');
  return id.data;
}

function split(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        name: { type: 'string' },
        scope: { type: 'string', multiple: true },
        ttl: { type: 'string' },
        url: { type: 'string' },
      },
    });
  } catch (error) {
    throw new BadArguments(error instanceof Error ? error.message : String(error), error);
  }
}
