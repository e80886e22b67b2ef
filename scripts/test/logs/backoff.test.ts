import { expect, test } from 'vitest';
import { Backoff } from '../../logs/backoff.ts';

test('waits grow to 10 s, and begin anew after a success', () => {
  const backoff = new Backoff(() => 1);
  const waits = Array.from({ length: 8 }, () => backoff.next());
  expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  backoff.reset();
  expect(backoff.next()).toBe(250);
});

test('a wait is between half and all of it', () => {
  expect(new Backoff(() => 0).next()).toBe(125);
});

test.each([
  [2_000, 2_000],
  [0, 100],
  [999_999_999, 10_000],
])('of a server that asks for %i ms the first wait is %i ms', (asked, first) => {
  const backoff = new Backoff(() => 1);
  backoff.baseMs = asked;
  expect(backoff.next()).toBe(first);
});
