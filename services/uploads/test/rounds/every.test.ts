import { createLogger } from '@natter/runtime';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { every } from '../../src/rounds/every.ts';

const LOG = createLogger('test', 'silent');
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('never does a task twice at once, and goes on after one that failed', async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  const task = vi.fn(() => promise);
  const round = every(1_000, 'test', task, LOG);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(task).toHaveBeenCalledTimes(1);
  reject(new Error('broken'));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(task).toHaveBeenCalledTimes(2);
  await round.stop();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(task).toHaveBeenCalledTimes(2);
});

it('waits for a task that ends, and not for one that does not', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const round = every(1_000, 'test', () => promise, LOG);
  await vi.advanceTimersByTimeAsync(1_000);
  let isStopped = false;
  const stopped = round.stop().then(() => {
    isStopped = true;
  });
  await vi.advanceTimersByTimeAsync(1_999);
  expect(isStopped).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await stopped;
  resolve();
});
