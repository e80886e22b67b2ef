import { expect, it } from 'vitest';
import { CalmGarbage } from '../src/calm-garbage.ts';

const MB = 1024 * 1024;
type Second = readonly [busy: number, usedMb: number];

/** Of which seconds garbage was collected, which leaves `leftMb`. */
function collections(seconds: readonly Second[], leftMb = 100): number[] {
  const collected: number[] = [];
  let [at, used] = [0, 100];
  const garbage = new CalmGarbage({
    busyShare: () => seconds[at]?.[0] ?? 0,
    oldBytes: () => used * MB,
    collect: () => {
      collected.push(at);
      used = leftMb;
    },
  });
  for (; at < seconds.length; at += 1) {
    used = seconds[at]?.[1] ?? used;
    garbage.tick();
  }
  return collected;
}

const times = (count: number, second: Second): Second[] => Array.from({ length: count }, () => second);

it('collects once it has been calm for three seconds, and not again', () => {
  expect(collections([[0.9, 150], ...times(3, [0.05, 200]), ...times(20, [0.05, 300])], 190)).toEqual([3]);
});

it('leaves a busy gateway to V8, and one with lulls', () => {
  const lulls = Array.from({ length: 30 }, (_, at): Second => [at % 3 === 0 ? 0.5 : 0, 300]);
  expect(collections(lulls)).toEqual([]);
});

it('leaves one that was never busy', () => {
  expect(collections(times(20, [0.09, 300]))).toEqual([]);
});

it('does nothing where there is little to gain', () => {
  expect(collections([[0.9, 119], ...times(20, [0, 119])])).toEqual([]);
  expect(collections([[0.9, 119], ...times(20, [0, 120])])).toEqual([3]);
});

it('goes by what was left when V8 has collected by itself', () => {
  expect(collections([[0.9, 300], [0.9, 80], ...times(3, [0, 97])])).toEqual([4]);
  // Of what it has left nothing is garbage, however much more than before it is.
  expect(collections([[0.9, 400], [0.9, 300], ...times(9, [0, 310])])).toEqual([]);
});

it('takes no fifth of next to nothing for a reason', () => {
  expect(collections([[0.9, 10], ...times(5, [0, 13])])).toEqual([]);
});

it('rests ten seconds between two collections', () => {
  const storms = Array.from({ length: 24 }, (_, at): Second => [at % 4 === 0 ? 0.5 : 0, 300]);
  expect(collections(storms)).toEqual([3, 15]);
});
