import { expect, it } from 'vitest';
import { curveRows, exponents } from '../../../src/figures/growth/curve.ts';

const points = (cost: (load: number) => number) =>
  [10, 40, 160].map((load) => ({ load, costs: [cost(load), 2 * cost(load), cost(load)] }));

it.each([
  [0, () => 7],
  [1, (load: number) => 3 * load],
  [-0.5, (load: number) => 3 / Math.sqrt(load)],
])('finds the exponent %d, round by round', (exponent, cost) => {
  for (const found of exponents(points(cost))) expect(found).toBeCloseTo(exponent, 9);
});

it('has a row for each load, named by how many times the first it is', () => {
  const rows = curveRows({ id: 'token', label: 'CPU', unit: 'µs', of: 'answers', points: points(() => 7) });
  expect(rows.map(({ id, value }) => [id, value])).toEqual([
    ['growth.token-1', 7],
    ['growth.token-4', 7],
    ['growth.token-16', 7],
    ['growth.token-exponent', 0],
  ]);
  expect(rows[0]?.interval).toMatchObject({ low: 7, high: 14, rounds: 3 });
});
