/** Holds the list of requirements, the seeds and the tests that cite them together. */
import { describe, expect, it } from 'vitest';
import { citations, idsIn } from '../requirements/citations.ts';
import { ASIDES, DOCUMENTS, dueIds, REQUIREMENTS } from '../requirements/index.ts';
import { type Lines, type Requirements, SEEDS, type SeedName } from '../requirements/requirement.ts';
import { seedDocument } from '../src/seed-document.ts';

const cited = citations();
const rows = Object.values(DOCUMENTS).flatMap((document: Requirements) => Object.entries(document));

/** Lines of a seed that requirements come from. */
function linesOf(seed: SeedName): Lines[] {
  return rows.flatMap(([, { source }]) => ('seed' in source && source.seed === seed ? [source.lines] : []));
}

/** Whether a line of a seed says something: no heading, rule, fence, bracket or bare label. */
function saysSomething(line: string): boolean {
  return !/^(#+ .*|-+|`{3}.*|[\s[\](){},;*]*|[^.]{0,60}:|)$/.test(line.trim());
}

describe('requirements', () => {
  it('are each shown by at least one test', () => {
    expect(dueIds().filter((id) => !cited.has(id))).toEqual([]);
  });

  it('are listed when a test cites them', () => {
    expect([...cited.keys()].filter((id) => !(id in REQUIREMENTS))).toEqual([]);
  });

  it('have an id of their own', () => {
    const ids = rows.map(([id]) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.filter((id) => !/^[a-z0-9-]+\/[a-z0-9-]+$/.test(id))).toEqual([]);
  });

  it('name lines of a seed that exist and say something', () => {
    for (const [id, { source }] of rows) {
      if (!('seed' in source)) continue;
      const [first, last] = source.lines;
      const lines = seedDocument(source.seed).split('\n');
      const text = lines.slice(first - 1, last).join('\n');
      expect([id, first <= last && last <= lines.length && text.trim() !== '']).toEqual([id, true]);
    }
  });

  it.each(SEEDS)('leave out no line of seeds/%s', (seed) => {
    const ranges: Lines[] = [...linesOf(seed), ...ASIDES[seed].map(([first, last]): Lines => [first, last])];
    const missing = seedDocument(seed)
      .split('\n')
      .map((text, index) => ({ text, line: index + 1 }))
      .filter(({ text, line }) => saysSomething(text) && !ranges.some(([a, b]) => a <= line && line <= b))
      .map(({ text, line }) => `${line}: ${text}`);
    expect(missing).toEqual([]);
  });
});

describe('the scan for citations', () => {
  it('finds ids at the beginning of a name, alone or several, and nothing else', () => {
    expect(idsIn(`it('[a/b] x', () => {})`)).toEqual(['a/b']);
    expect(idsIn('it("[a/b] [c-1/d] x", () => {})')).toEqual(['a/b', 'c-1/d']);
    expect(idsIn(`// [a/b]\nit('x [a/b]', () => list[a/b])`)).toEqual([]);
  });
});
