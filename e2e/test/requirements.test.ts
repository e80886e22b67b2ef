/** Holds the list of requirements and the tests that cite them together. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REQUIREMENTS, type Requirement } from '../requirements.ts';
import { SEED_DOCUMENT } from '../src/seed-document.ts';

const entries: [string, Requirement][] = Object.entries(REQUIREMENTS);
const cited = new Set(
  readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.e2e.test.ts'))
    .flatMap((file) => idsIn(readFileSync(join(import.meta.dirname, file), 'utf8'))),
);

/** Ids at the beginning of a string: of a test's name, or of its line in a table of tests. */
function idsIn(source: string): string[] {
  const names = [...source.matchAll(/['"`]((?:\[[a-z0-9-]+\/[a-z0-9-]+\] ?)+)/g)].map(([, ids = '']) => ids);
  return names.flatMap((ids) => [...ids.matchAll(/\[([^\]]+)\]/g)].map(([, id = '']) => id));
}

describe('requirements', () => {
  it('are each shown by at least one test', () => {
    expect(entries.map(([id]) => id).filter((id) => !cited.has(id))).toEqual([]);
  });

  it('are listed when a test cites them', () => {
    expect([...cited].filter((id) => !(id in REQUIREMENTS))).toEqual([]);
  });

  it('name lines of the seed that exist and say something', () => {
    const lines = SEED_DOCUMENT.split('\n');
    for (const [id, { source }] of entries) {
      if (!('seed' in source)) continue;
      const [first, last] = source.seed;
      const text = lines.slice(first - 1, last).join('\n');
      expect([id, first <= last && last <= lines.length && text.trim() !== '']).toEqual([id, true]);
    }
  });
});

describe('the scan for citations', () => {
  it('finds ids at the beginning of a name, alone or several, and nothing else', () => {
    expect(idsIn(`it('[a/b] x', () => {})`)).toEqual(['a/b']);
    expect(idsIn('it("[a/b] [c-1/d] x", () => {})')).toEqual(['a/b', 'c-1/d']);
    expect(idsIn(`// [a/b]\nit('x [a/b]', () => list[a/b])`)).toEqual([]);
  });
});
