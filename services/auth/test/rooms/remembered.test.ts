import { expect, it } from 'vitest';
import { Remembered } from '../../src/rooms/remembered.ts';

function counting(max = 10) {
  let nowMs = 0;
  let reads = 0;
  const remembered = new Remembered<{ value: number }>({
    keepMs: 500,
    max,
    isWorthKeeping: ({ value }) => value > 0,
    now: () => nowMs,
  });
  const read = (value: number) => async () => {
    reads += 1;
    return { value };
  };
  return { remembered, read, reads: () => reads, pass: (ms: number) => (nowMs += ms) };
}

it('reads once for all who ask at the same time, and again once the value is too old', async () => {
  const { remembered, read, reads, pass } = counting();
  const asked = await Promise.all([1, 2, 3].map((value) => remembered.get('r', read(value))));
  expect(asked).toEqual([{ value: 1 }, { value: 1 }, { value: 1 }]);
  pass(499);
  expect(await remembered.get('r', read(4))).toEqual({ value: 1 });
  pass(1);
  expect(remembered.kept('r')).toBeUndefined();
  expect(await remembered.get('r', read(5))).toEqual({ value: 5 });
  expect(reads()).toBe(2);
});

it('keeps nothing that is not worth it, and no failure', async () => {
  const { remembered, read } = counting();
  await remembered.get('r', read(0));
  expect(remembered.kept('r')).toBeUndefined();
  const failing = () => Promise.reject(new Error('away'));
  await expect(remembered.get('r', failing)).rejects.toThrow('away');
  expect(await remembered.get('r', read(2))).toEqual({ value: 2 });
});

it('forgets the room that was read longest ago when it knows too many', async () => {
  const { remembered, read } = counting(2);
  for (const room of ['one', 'two', 'three']) await remembered.get(room, read(1));
  expect(['one', 'two', 'three'].map((room) => remembered.kept(room))).toEqual([
    undefined,
    { value: 1 },
    { value: 1 },
  ]);
});
