import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../src/simulate/backoff.ts';
import { Random } from '../../src/simulate/random.ts';

describe('full jitter', () => {
  it.each([
    [0, 1_000],
    [1, 2_000],
    [4, 16_000],
    [5, 30_000],
    [500, 30_000],
  ])('after %d failures spreads evenly up to %d ms', (failures, bound) => {
    const random = new Random(5);
    const waits = Array.from({ length: 20_000 }, () => backoffMs(failures, 1_000, 30_000, random));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...waits)).toBeLessThan(bound);
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
    expect(mean / bound).toBeCloseTo(0.5, 1);
  });
});
