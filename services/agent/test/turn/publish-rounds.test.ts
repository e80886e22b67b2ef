import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PublishRounds } from '../../src/turn/publish-rounds.ts';

let now = 0;
beforeEach(() => {
  now = 0;
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

/** Waits of one publisher until `ms` from now, in the order in which they end. */
function waiter(rounds: PublishRounds, ended: string[], name: string): void {
  void rounds.next().then(() => ended.push(name));
}

async function busy(rounds: PublishRounds): Promise<void> {
  for (let slice = 0; slice < 2; slice += 1) {
    for (let n = 0; n < 60; n += 1) void rounds.next();
    now += 8;
    await vi.advanceTimersByTimeAsync(8);
  }
}

it('a quiet agent publishes at the end of the turn of the event loop', async () => {
  const ended: string[] = [];
  waiter(new PublishRounds(() => now), ended, 'a');
  await Promise.resolve();
  expect(ended).toEqual([]);
  await vi.advanceTimersByTimeAsync(0);
  expect(ended).toEqual(['a']);
});

it('all who wait publish together, and whoever comes later in the next round', async () => {
  const rounds = new PublishRounds(() => now);
  expect(rounds.next()).toBe(rounds.next());
  const first = rounds.next();
  await vi.advanceTimersByTimeAsync(0);
  expect(rounds.next()).not.toBe(first);
});

it('a busy agent waits for a millisecond', async () => {
  const ended: string[] = [];
  const rounds = new PublishRounds(() => now);
  await busy(rounds);
  waiter(rounds, ended, 'a');
  await vi.advanceTimersByTimeAsync(0);
  expect(ended).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(ended).toEqual(['a']);
});

it('an agent that was busy and then quiet does not wait', async () => {
  const ended: string[] = [];
  const rounds = new PublishRounds(() => now);
  await busy(rounds);
  now += 100;
  waiter(rounds, ended, 'a');
  await vi.advanceTimersByTimeAsync(0);
  expect(ended).toEqual(['a']);
});
