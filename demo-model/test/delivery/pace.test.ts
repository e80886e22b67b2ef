import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/delivery/pace.ts';

describe('Pace', () => {
  it('counts tokens from the start, so that lateness does not add up', () => {
    const pace = new Pace(1_000, 100, 50);
    expect([1_099, 1_100, 1_119, 1_120, 2_100].map((now) => pace.due(now))).toEqual([-1, 1, 1, 2, 51]);
    expect(pace.at(50)).toBe(2_100);
  });

  it('has everything due at once at speed 0', () => {
    expect(new Pace(0, 10, 0).due(10)).toBe(Number.POSITIVE_INFINITY);
  });
});
