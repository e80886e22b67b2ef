import { expect, it } from 'vitest';
import { chain, inOrder, missingOf, partName, partOfSubject } from '../../src/parts/part.ts';

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
