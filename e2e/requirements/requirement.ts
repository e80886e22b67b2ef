/** What one requirement is, and how the files beside this one write it down. */

/** Seed documents that are kept, whole, in fixtures/seeds-<name>/document.md. */
export const SEEDS = ['000', '001', '002', '003', '004'] as const;
export type SeedName = (typeof SEEDS)[number];

/** First and last line, counted from 1. */
export type Lines = readonly [first: number, last: number];

export type Source =
  | { seed: SeedName; lines: Lines }
  | { issue: 2 | 3 | 4 | 5; bullet: string }
  | { protocols: string };

export interface Requirement {
  statement: string;
  source: Source;
}

/** By id, `<theme>/<what>` of `[a-z0-9-]`. */
export type Requirements = Record<string, Requirement>;

/** Lines of a seed that demand nothing by themselves, and why. */
export type Aside = readonly [first: number, last: number, why: string];

/** Returns the writer of a seed's rows: statement, first line, last line (default the first). */
export function rowOf(seed: SeedName) {
  return (statement: string, first: number, last = first): Requirement => ({
    statement,
    source: { seed, lines: [first, last] },
  });
}

/** Rows of one bullet of an issue: statements by id. */
export function bullet(issue: 2 | 3 | 4 | 5, name: string, statements: Record<string, string>): Requirements {
  return withSource({ issue, bullet: name }, statements);
}

/** Rows of one part of PROTOCOLS, which says what the originals really send. */
export function part(name: string, statements: Record<string, string>): Requirements {
  return withSource({ protocols: name }, statements);
}

function withSource(source: Source, statements: Record<string, string>): Requirements {
  return Object.fromEntries(Object.entries(statements).map(([id, statement]) => [id, { statement, source }]));
}
