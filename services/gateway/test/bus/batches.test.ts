import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Batches } from '../../src/bus/batches.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Requests that are answered when the test says so; each number with its double. */
function batched({ maxAsks = 4, maxBytes = 100 } = {}) {
  const sent: (readonly number[])[] = [];
  const answers: ((error?: Error) => void)[] = [];
  const batches = new Batches<number, number>({
    send: (asks) => {
      sent.push(asks);
      return new Promise((resolve, reject) => {
        answers.push((error) => (error ? reject(error) : resolve(asks.map((ask) => ask * 2))));
      });
    },
    maxAsks,
    maxBytes,
    bytesOf: (ask) => ask,
  });
  return { batches, sent, answer: (error?: Error) => answers.shift()?.(error) };
}

describe('Batches', () => {
  it('sends what is asked in one turn of the event loop as one request, and gives each its answer', async () => {
    const { batches, sent, answer } = batched();
    const all = Promise.all([batches.ask(1), batches.ask(2), batches.ask(3)]);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual([[1, 2, 3]]);
    answer();
    expect(await all).toEqual([2, 4, 6]);
  });

  it('holds others back while one is under way, until its answer', async () => {
    const { batches, sent, answer } = batched();
    void batches.ask(1);
    await vi.advanceTimersByTimeAsync(0);
    const later = Promise.all([batches.ask(2), batches.ask(3)]);
    await vi.advanceTimersByTimeAsync(4);
    expect(sent).toEqual([[1]]);
    answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual([[1], [2, 3]]);
    answer();
    expect(await later).toEqual([4, 6]);
  });

  it('holds them for 5 ms, when no answer comes', async () => {
    const { batches, sent } = batched();
    void batches.ask(1);
    await vi.advanceTimersByTimeAsync(0);
    void batches.ask(2);
    await vi.advanceTimersByTimeAsync(5);
    expect(sent).toEqual([[1], [2]]);
  });

  it('sends a full request at once', async () => {
    const { batches, sent } = batched({ maxAsks: 2 });
    for (const ask of [1, 2, 3]) void batches.ask(ask);
    expect(sent).toEqual([[1, 2]]);
  });

  it('begins another request before one has too many bytes, and sends a larger ask alone', async () => {
    const { batches, sent } = batched();
    for (const ask of [60, 50, 500, 1]) void batches.ask(ask);
    await vi.advanceTimersByTimeAsync(5);
    expect(sent).toEqual([[60], [50], [500], [1]]);
  });

  it('fails all of a request, and none of the next', async () => {
    const { batches, sent, answer } = batched();
    const failed = Promise.allSettled([batches.ask(1), batches.ask(2)]);
    await vi.advanceTimersByTimeAsync(0);
    const next = batches.ask(3);
    answer(new Error('away'));
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual([[1, 2], [3]]);
    answer();
    expect(await next).toBe(6);
  });

  it('gives nobody the answer of another when there are too few', async () => {
    const batches = new Batches<number, number>({
      send: async () => [1],
      maxAsks: 4,
      maxBytes: 100,
      bytesOf: () => 1,
    });
    const all = Promise.allSettled([batches.ask(1), batches.ask(2)]);
    await vi.advanceTimersByTimeAsync(0);
    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
