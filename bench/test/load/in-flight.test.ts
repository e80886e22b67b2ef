import { expect, it } from 'vitest';
import { inFlight } from '../../src/load/in-flight.ts';

it('does each once, never more than the limit at a time', async () => {
  let open = 0;
  let most = 0;
  const done: number[] = [];
  await inFlight(10, 3, async (index) => {
    most = Math.max(most, ++open);
    await Promise.resolve();
    done.push(index);
    open -= 1;
  });
  expect(most).toBe(3);
  expect(done.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

it('fails with the first failure and starts no more', async () => {
  const started: number[] = [];
  const work = async (index: number) => {
    started.push(index);
    await Promise.resolve();
    if (index === 1) throw new Error('refused');
  };
  await expect(inFlight(100, 2, work)).rejects.toThrow('refused');
  expect(started.length).toBeLessThan(5);
});
