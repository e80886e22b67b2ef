import { expect, it } from 'vitest';
import { Xorshift } from '../../src/fuzz/xorshift.ts';

const some = (random: Xorshift) => Array.from({ length: 100 }, () => random.next());

it('says the same for the same seed, and something else for another seed or stream', () => {
  expect(some(new Xorshift(1, 2))).toEqual(some(new Xorshift(1, 2)));
  const others = [new Xorshift(1, 2), new Xorshift(2, 2), new Xorshift(1, 3), new Xorshift(0, 0)].map(some);
  expect(new Set(others.map(String)).size).toBe(others.length);
  for (const numbers of others) expect(new Set(numbers).size).toBe(numbers.length);
});

it('stays below its limit and gets everywhere below it', () => {
  const random = new Xorshift(0);
  const seen = new Set(Array.from({ length: 1_000 }, () => random.below(7)));
  expect([...seen].toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(() => random.pick([])).toThrow(RangeError);
});
