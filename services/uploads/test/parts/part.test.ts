import { partName } from '@natter/proto';
import { describe, expect, it } from 'vitest';
import { chain, inOrder, missingOf, partOfSubject, superfluous } from '../../src/parts/part.ts';

const part = (at: number, length: number) => ({ at, length });

it('finds a part in the subject it was stored under', () => {
  expect(partOfSubject(`chunk.some-file.${partName(part(1_048_576, 77))}`)).toEqual(part(1_048_576, 77));
});

it.each(['chunk.f.1', 'chunk.f.-1-2', 'chunk.f.1-2-x', 'chunk.f.1-', 'chunk.f'])(
  'takes %s for no part',
  (subject) => {
    expect(partOfSubject(subject)).toBe(null);
  },
);

it('orders indexed parts, and takes the longer one of two under an index', () => {
  expect(inOrder([part(2, 5), part(0, 9), part(2, 7), part(1, 1)])).toEqual([
    part(0, 9),
    part(1, 1),
    part(2, 7),
  ]);
});

it('names missing indexes up to a limit', () => {
  expect(missingOf([part(1, 1), part(3, 1)], 6, 10)).toEqual([0, 2, 4, 5]);
  expect(missingOf([], 6, 2)).toEqual([0, 1]);
});

it('chains sequential parts up to the first gap', () => {
  const { pieces, end } = chain([part(20, 5), part(0, 10), part(10, 5), part(16, 4)]);
  expect(end).toBe(15);
  expect(pieces.map((piece) => piece.part)).toEqual([part(0, 10), part(10, 5)]);
});

it('takes the part that reaches farthest where parts overlap, and what it adds', () => {
  const { pieces, end } = chain([part(0, 10), part(0, 30), part(10, 5), part(25, 25), part(15, 2)]);
  expect(end).toBe(50);
  expect(pieces).toEqual([
    { part: part(0, 30), skip: 0 },
    { part: part(25, 25), skip: 5 },
  ]);
});

it('has nothing of an upload without its first bytes', () => {
  expect(chain([part(1, 10)])).toEqual({ pieces: [], end: 0 });
  expect(chain([])).toEqual({ pieces: [], end: 0 });
});

describe('of what has arrived', () => {
  const indexed = { mode: 'indexed', size: 100, totalChunks: 4 } as const;
  const sequential = { mode: 'sequential', size: 100, totalChunks: null } as const;

  it('nothing goes that the file needs', () => {
    const parts = [part(0, 30), part(3, 10), part(1, 30), part(2, 30)];
    expect(superfluous(indexed, parts, parts)).toEqual([]);
    expect(superfluous(sequential, [part(0, 30), part(30, 70)], [part(30, 70)])).toEqual([]);
    // A gap that another gateway is about to close.
    expect(superfluous(sequential, [part(0, 30), part(60, 40)], [part(60, 40)])).toEqual([]);
  });

  it('the last try of an index stays, if it has arrived', () => {
    const parts = [part(0, 30), part(0, 20), part(1, 30)];
    expect(superfluous(indexed, parts, [part(0, 30), part(0, 20)])).toEqual([part(0, 30)]);
    expect(superfluous(indexed, parts, [part(0, 20), part(0, 30)])).toEqual([part(0, 20)]);
    expect(superfluous(indexed, [part(0, 30)], [part(0, 20)])).toEqual([]);
  });

  it('what is outside of the upload goes', () => {
    expect(superfluous(indexed, [part(3, 1), part(4, 1)], [])).toEqual([part(4, 1)]);
    expect(superfluous({ ...indexed, totalChunks: null }, [part(1_023, 1), part(1_024, 1)], [])).toEqual([
      part(1_024, 1),
    ]);
    expect(superfluous(sequential, [part(0, 90), part(90, 11)], [])).toEqual([part(90, 11)]);
  });

  it('the last ones that were stored go where all together are more than the file has', () => {
    const parts = [part(0, 50), part(1, 30), part(2, 30), part(3, 10)];
    expect(superfluous(indexed, parts, [part(1, 30), part(2, 30)])).toEqual([part(2, 30)]);
    expect(superfluous(indexed, parts, [part(3, 10), part(2, 30), part(1, 30)])).toEqual([part(1, 30)]);
    expect(superfluous(indexed, parts, [])).toEqual([]);
  });

  it('of a sequential upload those go that others cover', () => {
    const parts = [part(0, 10), part(0, 30), part(10, 5), part(25, 25), part(70, 5)];
    expect(superfluous(sequential, parts, [part(0, 10)])).toEqual([part(0, 10), part(10, 5)]);
  });
});
