import { expect, it } from 'vitest';
import { CoreWatch } from '../../src/measure/core-watch.ts';

it('adds up the watched times only, and counts stolen time as neither busy nor idle', () => {
  const readings = [
    { total: 100, idle: 50, steal: 0 },
    { total: 104, idle: 51, steal: 1 },
    // What happens here is not watched.
    { total: 200, idle: 51, steal: 1 },
    { total: 206, idle: 56, steal: 2 },
  ];
  const watch = new CoreWatch(() => new Map([[1, readings.shift() as (typeof readings)[number]]]));
  watch.start()();
  watch.start()();
  expect(watch.use()).toEqual([{ core: 1, busyPercent: 20, stealPercent: 20 }]);
});

it('does not divide by a time that did not pass', () => {
  const watch = new CoreWatch(() => new Map([[0, { total: 5, idle: 5, steal: 0 }]]));
  watch.start()();
  expect(watch.use()).toEqual([{ core: 0, busyPercent: 0, stealPercent: 0 }]);
});
