/** When a client tries again: "full jitter", a time at random up to a bound that doubles. */
import type { Random } from './random.ts';

/** Above this many failures the bound no longer grows, whatever its cap. */
const MOST_DOUBLINGS = 30;

/** Milliseconds to wait after `failures` in a row; 0 failures: a connection that was good has gone. */
export function backoffMs(failures: number, baseMs: number, capMs: number, random: Random): number {
  const bound = Math.min(capMs, baseMs * 2 ** Math.min(failures, MOST_DOUBLINGS));
  return random.next() * bound;
}
