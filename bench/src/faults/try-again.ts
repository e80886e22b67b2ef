/** Does something that fails while the part it needs is dead. */
import { setTimeout as sleep } from 'node:timers/promises';

const AGAIN_MS = 50;
/** A restart takes a second or two, on a machine that does other things too. */
const LIMIT_MS = 30_000;

/** Resolves with the first success; rejects with the last failure after 30 s. */
export async function tryAgain<T>(attempt: (tries: number) => Promise<T>): Promise<T> {
  const until = performance.now() + LIMIT_MS;
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt(tries);
    } catch (error) {
      if (performance.now() > until) throw error;
      await sleep(AGAIN_MS);
    }
  }
}
