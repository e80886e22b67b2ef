import { expect, it } from 'vitest';
import { slope } from '../../src/measure/slope.ts';

it('is the growth for each x, whatever was there before', () => {
  expect(slope([1_000, 2_000, 5_000].map((x) => ({ x, y: 60e6 + 4_096 * x })))).toBeCloseTo(4_096, 6);
});

it('averages scatter around the line', () => {
  expect(
    slope([
      { x: 0, y: 1 },
      { x: 1, y: 0 },
      { x: 2, y: 3 },
      { x: 3, y: 2 },
    ]),
  ).toBeCloseTo(0.6, 10);
});

it('refuses a single point', () => {
  expect(() =>
    slope([
      { x: 5, y: 1 },
      { x: 5, y: 2 },
    ]),
  ).toThrow(RangeError);
});
