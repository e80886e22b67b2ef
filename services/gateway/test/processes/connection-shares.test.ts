import { expect, test } from 'vitest';
import { connectionShares } from '../../src/processes/connection-shares.ts';

test('what is free is divided, and what each has it keeps', () => {
  expect(connectionShares(100, [0, 0])).toEqual([50, 50]);
  expect(connectionShares(100, [60, 20])).toEqual([70, 30]);
});

test('after a death the others may take all that its clients come back with', () => {
  expect(connectionShares(100, [50])).toEqual([100]);
  expect(connectionShares(100, [100, 0])).toEqual([100, 0]);
});

test('with too many nobody gets more, and a single free place is never refused by rounding', () => {
  expect(connectionShares(100, [80, 30])).toEqual([80, 30]);
  expect(connectionShares(2, [1, 0, 0])).toEqual([2, 1, 1]);
  expect(connectionShares(100, [])).toEqual([]);
});
