import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pace } from '../../src/delivery/pace.ts';
import { type Paced, Ticker } from '../../src/delivery/ticker.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Counts tokens at a pace, as a stream does. */
function counter(ticker: Ticker, pace: Pace, total: number) {
  const state = { sent: 0 };
  const paced: Paced = {
    nextAt: () => pace.at(state.sent),
    advance: (now) => {
      state.sent = Math.min(pace.due(now), total);
      if (state.sent === total) ticker.remove(paced);
    },
  };
  ticker.add(paced);
  return state;
}

describe('Ticker', () => {
  it('serves 200 streams of 50 tokens a second with one timer', () => {
    const ticker = new Ticker(() => Date.now());
    const streams = Array.from({ length: 200 }, (_, at) =>
      counter(ticker, new Pace(Date.now(), at / 10, 50), 1_000),
    );
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(vi.getTimerCount()).toBe(1);
    expect(new Set(streams.map(({ sent }) => sent))).toEqual(new Set([50, 51]));
  });

  it('has no timer when nothing is under way', () => {
    const ticker = new Ticker(() => Date.now());
    const stream = counter(ticker, new Pace(Date.now(), 0, 10), 5);
    vi.advanceTimersByTime(1_000);
    expect({ sent: stream.sent, timers: vi.getTimerCount() }).toEqual({ sent: 5, timers: 0 });
  });

  it('wakes earlier for a stream that joins with an earlier token', () => {
    const ticker = new Ticker(() => Date.now());
    counter(ticker, new Pace(Date.now(), 60_000, 10), 1);
    const quick = counter(ticker, new Pace(Date.now(), 10, 10), 1);
    vi.advanceTimersByTime(10);
    expect(quick.sent).toBe(1);
    ticker.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
