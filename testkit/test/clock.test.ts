import { expect, test } from 'vitest';
import { frozenClock } from '../src/clock.ts';

test('a frozen clock moves only when told', () => {
  const { now, advance } = frozenClock(1_000);
  expect(now()).toBe(1_000);
  advance(250);
  expect(now()).toBe(1_250);
  expect(() => advance(-1)).toThrow(RangeError);
});
