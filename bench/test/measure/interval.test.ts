import { describe, expect, it } from 'vitest';
import { medianInterval } from '../../src/measure/interval.ts';

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('medianInterval', () => {
  // Ranks and coverages: tables of the sign test.
  it.each([
    [6, 1, 6, 0.96875],
    [8, 1, 8, 0.9921875],
    [9, 2, 8, 0.9609375],
    [12, 3, 10, 0.961425781],
    [15, 4, 12, 0.96484375],
  ])('leaves out as many of %i rounds as 95%% allow', (count, low, high, coverage) => {
    const found = medianInterval(upTo(count));
    expect(found).toMatchObject({ low, high, rounds: count });
    expect(found.coverage).toBeCloseTo(coverage, 8);
  });

  it('says how little fewer than six rounds can promise', () => {
    expect(medianInterval([2, 1])).toEqual({ median: 1.5, low: 1, high: 2, coverage: 0.5, rounds: 2 });
    expect(medianInterval([7])).toMatchObject({ median: 7, low: 7, high: 7, coverage: 0 });
  });

  it('takes the middle of an even number and does not touch its input', () => {
    const rounds = [4, 1, 3, 2];
    expect(medianInterval(rounds).median).toBe(2.5);
    expect(rounds).toEqual([4, 1, 3, 2]);
  });

  it('is not moved by one wild round', () => {
    expect(medianInterval([...upTo(8), 1e9])).toMatchObject({ median: 5, high: 8 });
  });

  it('refuses no rounds', () => {
    expect(() => medianInterval([])).toThrow(RangeError);
  });
});
