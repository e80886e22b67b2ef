import { expect, it } from 'vitest';
import { growingWait } from '../../src/rounds/growing-wait.ts';

it('doubles from try to try, up to an hour', () => {
  const waits = [1, 2, 3, 7, 8, 12, 5_000].map((tries) => growingWait(30_000, tries) / 1_000);
  expect(waits).toEqual([30, 60, 120, 1_920, 3_600, 3_600, 3_600]);
});

it('is never shorter than it was set', () => {
  expect(growingWait(86_400_000, 1)).toBe(86_400_000);
  expect(growingWait(86_400_000, 9)).toBe(86_400_000);
});
