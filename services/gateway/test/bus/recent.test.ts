import { expect, it } from 'vitest';
import { Recent } from '../../src/bus/recent.ts';

it('forgets what was put in first, and only above its cap', () => {
  const recent = new Recent<number>(2);
  recent.set('a', 1);
  recent.set('b', 2);
  expect([...recent.values()]).toEqual([1, 2]);
  recent.set('c', 3);
  expect([...recent.entries()]).toEqual([
    ['b', 2],
    ['c', 3],
  ]);
  expect([recent.has('a'), recent.get('b'), recent.get('a')]).toEqual([false, 2, undefined]);
});

it('does not forget another one when the same is put in again', () => {
  const recent = new Recent<number>(2);
  for (const [key, value] of [
    ['a', 1],
    ['b', 2],
    ['b', 3],
  ] as const)
    recent.set(key, value);
  expect([...recent.values()]).toEqual([1, 3]);
});

it('has room again after something was taken out', () => {
  const recent = new Recent<number>(2);
  recent.set('a', 1);
  recent.set('b', 2);
  recent.delete('a');
  recent.delete('never there');
  recent.set('c', 3);
  expect([...recent.values()]).toEqual([2, 3]);
});
