import { expect, it } from 'vitest';
import { SlowFrames } from '../../src/fuzz/slow-frames.ts';

const QUICK = Buffer.from('as quick as most');
const SLOW = Buffer.from('slow, as it seems');
const LONG = Buffer.alloc(10_000, 'x');

/** Takes for each frame what `costOf` says, in milliseconds. */
function framesThatTake(costOf: (bytes: Uint8Array) => number) {
  let nowMs = 0;
  const read = (bytes: Uint8Array) => {
    nowMs += costOf(bytes);
  };
  const frames = new SlowFrames(read, () => nowMs);
  const take = (bytes: Uint8Array) => frames.took(bytes, false, costOf(bytes));
  for (let frame = 0; frame < 2_000; frame += 1) take(QUICK);
  return { frames, take };
}

it('finds a frame that takes long each time', () => {
  const { frames, take } = framesThatTake((bytes) => (bytes === QUICK ? 0.001 : 2));
  take(SLOW);
  // What is kept is a copy: the buffer is used again.
  expect(frames.confirmed()).toMatchObject([{ bytes: Uint8Array.from(SLOW), ms: 2 }]);
  expect(frames.slowest.times).toBeGreaterThan(1_000);
  expect(frames.confirmed()).toEqual([]);
});

it('finds nothing where the machine paused, once or all the while', () => {
  let pauses = true;
  const { frames, take } = framesThatTake((bytes) => (bytes !== QUICK && pauses ? 2 : 0.001));
  take(SLOW);
  pauses = false;
  expect(frames.confirmed()).toEqual([]);
});

it('finds nothing in a long frame that takes its time in proportion', () => {
  const { frames, take } = framesThatTake((bytes) => (bytes[0] === LONG[0] ? 2 : 0.001));
  for (let frame = 0; frame < 2_000; frame += 1) frames.took(Buffer.alloc(LONG.length), false, 0.001);
  take(LONG);
  expect(frames.confirmed()).toEqual([]);
  expect(frames.slowest).toMatchObject({ ms: 2, bytes: Uint8Array.from(LONG) });
});
