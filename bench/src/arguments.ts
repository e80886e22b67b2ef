/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';
import type { Size } from './bench.ts';

export interface Arguments {
  /** Names of figures; empty means all. */
  figures: string[];
  size: Size;
  /** A further copy of the JSON, or null. */
  out: string | null;
  profileDir: string | null;
}

export const USAGE = `npm run bench -- [figure …] [--full | --tiny] [--out FILE] [--profile DIR]
`;

/** Throws an Error with one sentence for what it doesn't understand. */
export function readArguments(args: string[], known: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      full: { type: 'boolean', default: false },
      tiny: { type: 'boolean', default: false },
      out: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`There is no figure ${unknown}; there are ${known.join(', ')}.`);
  if (values.full && values.tiny) throw new Error('--full and --tiny exclude each other.');
  return {
    figures: positionals,
    size: values.full ? 'full' : values.tiny ? 'tiny' : 'quick',
    out: values.out ?? null,
    profileDir: values.profile ?? null,
  };
}
