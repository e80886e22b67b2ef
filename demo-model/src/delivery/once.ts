/** Something to do once, at a time, on the shared timer. */
import type { Paced, Ticker } from './ticker.ts';

/** Returns a function that takes it back. */
export function once(ticker: Ticker, at: number, act: () => void): () => void {
  const paced: Paced = {
    nextAt: () => at,
    advance: () => {
      ticker.remove(paced);
      act();
    },
  };
  ticker.add(paced);
  return () => ticker.remove(paced);
}
