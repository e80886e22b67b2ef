/** The arguments of `npm run token`. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { TokenRequest } from '../tokens/issue-token.ts';
import { parseTtl } from './ttl.ts';

export const USAGE = `usage: npm run -s token -- --sub <id> [--email <address>] [--name <name>] [--role <role>]... [--ttl <time>]
  --sub    whom the token is for, 1 to 128 bytes
  --role   a role, such as admin; may be given up to 16 times
  --ttl    how long it is good: 30s, 15m, 1h, 7d; at most 365d; default 1h
  --help   this text`;

/** The arguments can't be used; the message says why. */
export class BadArguments extends Error {
  readonly code = 'BAD_ARGUMENTS';
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'BadArguments';
  }
}

const Arguments = z.object({
  sub: z.string({ error: '--sub is missing' }).min(1, '--sub is empty'),
  email: z.string().max(320, '--email has more than 320 characters').optional(),
  name: z.string().max(256, '--name has more than 256 characters').optional(),
  role: z
    .array(z.string().min(1, '--role is empty').max(64, '--role has more than 64 characters'))
    .max(16, 'more than 16 roles')
    .default([]),
  ttl: z.string().default('1h'),
});

/** Whether somebody wants to read the usage, whatever else the arguments say. */
export function asksForHelp(args: string[]): boolean {
  return args.includes('--help') || args.includes('-h');
}

/** Throws BadArguments. */
export function readArguments(args: string[]): TokenRequest {
  const parsed = Arguments.safeParse(split(args));
  if (!parsed.success) throw new BadArguments(parsed.error.issues.map((issue) => issue.message).join('; '));
  const { sub, email, name, role, ttl } = parsed.data;
  const ttlS = parseTtl(ttl);
  if (ttlS === null) throw new BadArguments('--ttl must be like 30s, 15m, 1h or 7d, and at most 365d');
  return { sub, email: email ?? null, name: name ?? null, roles: role, ttlS };
}

function split(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: false,
      options: {
        sub: { type: 'string' },
        email: { type: 'string' },
        name: { type: 'string' },
        role: { type: 'string', multiple: true },
        ttl: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new BadArguments(error instanceof Error ? error.message : String(error), error);
  }
}
