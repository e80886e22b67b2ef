import { describe, expect, it } from 'vitest';
import { retryDelayMs } from '../../src/model/retry-delay.ts';

describe('retryDelayMs', () => {
  it('doubles up to four seconds', () => {
    expect([0, 1, 2, 10].map((attempt) => retryDelayMs(attempt, null, 0))).toEqual([250, 500, 1_000, 4_000]);
  });

  it('takes up to half off at random', () => {
    expect(retryDelayMs(0, null, 0.999)).toBeCloseTo(125, 0);
  });

  it('waits at least as long as the server asks', () => {
    expect(retryDelayMs(0, 3_000, 0)).toBe(3_000);
    expect(retryDelayMs(0, 0, 0)).toBe(250);
  });

  it('gives up on a server that asks for more than ten seconds', () => {
    expect(retryDelayMs(0, 10_001, 0)).toBeNull();
  });
});
