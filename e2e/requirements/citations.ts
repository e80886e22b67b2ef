/** Finds the tests that cite requirements. */
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
/** Every workspace may show one; most are shown end to end. */
const TESTS = '{e2e,proto,runtime,services/*,bench,scripts}/test/**/*.test.ts';
/** Has ids in it that are examples. */
const NOT_ONE = 'e2e/test/requirements.test.ts';

/** Test files below the root, sorted, by the ids they cite. */
export function citations(): Map<string, string[]> {
  const files = new Map<string, string[]>();
  for (const file of globSync(TESTS, { cwd: ROOT }).sort()) {
    if (file === NOT_ONE) continue;
    for (const id of new Set(idsIn(readFileSync(join(ROOT, file), 'utf8'))))
      files.set(id, [...(files.get(id) ?? []), file]);
  }
  return files;
}

/** Ids at the beginning of a string: of a test's name, or of its line in a table of tests. */
export function idsIn(source: string): string[] {
  const names = [...source.matchAll(/['"`]((?:\[[a-z0-9-]+\/[a-z0-9-]+\] ?)+)/g)].map(([, ids = '']) => ids);
  return names.flatMap((ids) => [...ids.matchAll(/\[([^\]]+)\]/g)].map(([, id = '']) => id));
}
