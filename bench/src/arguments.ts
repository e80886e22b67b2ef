/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';
import type { Size } from './bench.ts';

export interface Arguments {
  /** Names of figures; empty means all with `--full`, else those that are not had by name only. */
  figures: string[];
  size: Size;
  /** Names of peers; empty means all with `--full`, and none otherwise. */
  peers: string[];
  /** Compare with the last full run, and fail where a ratio fell. */
  check: boolean;
  /** A further copy of the JSON, or null. */
  out: string | null;
  profileDir: string | null;
  /** Of whatever figures leave to chance; null: a new one. */
  seed: number | null;
}

export const USAGE = `npm run bench -- [figure …] [--full | --tiny] [--peer NAME …] [--check] [--seed N] [--out FILE] [--profile DIR]
`;

/** Throws an Error with one sentence for what it doesn't understand. */
export function readArguments(args: string[], known: readonly string[], peers: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      full: { type: 'boolean', default: false },
      tiny: { type: 'boolean', default: false },
      peer: { type: 'string', multiple: true, default: [] },
      check: { type: 'boolean', default: false },
      out: { type: 'string' },
      profile: { type: 'string' },
      seed: { type: 'string' },
    },
  });
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`There is no figure ${unknown}; there are ${known.join(', ')}.`);
  const stranger = values.peer.find((name) => !peers.includes(name));
  if (stranger !== undefined) throw new Error(`There is no peer ${stranger}; there are ${peers.join(', ')}.`);
  const seed = values.seed ?? null;
  if (seed !== null && !/^\d{1,9}$/.test(seed))
    throw new Error('--seed is a whole number of at most nine digits.');
  if (values.full && values.tiny) throw new Error('--full and --tiny exclude each other.');
  if (values.check && values.tiny) throw new Error('--tiny has no numbers to --check.');
  return {
    figures: positionals,
    size: values.full ? 'full' : values.tiny ? 'tiny' : 'quick',
    peers: values.peer,
    check: values.check,
    out: values.out ?? null,
    profileDir: values.profile ?? null,
    seed: seed === null ? null : Number(seed),
  };
}
