/** How long to wait before a model is asked again. */

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 4_000;
/** A person waits for the answer: a server that wants more than this has refused. */
export const LONGEST_RETRY_AFTER_MS = 10_000;

/**
 * Milliseconds before try number `attempt` + 1, or null where trying again makes no sense.
 *
 * `attempt` counts from 0, `random` is in [0, 1). Doubles from 250 ms up to 4 s, minus up to half
 * at random, so that agents which failed together don't come back together. What the server asks
 * for is a minimum; above 10 s it is not waited for.
 */
export function retryDelayMs(attempt: number, retryAfterMs: number | null, random: number): number | null {
  if (retryAfterMs !== null && retryAfterMs > LONGEST_RETRY_AFTER_MS) return null;
  const backoff = Math.min(FIRST_DELAY_MS * 2 ** attempt, LONGEST_DELAY_MS) * (1 - random / 2);
  return Math.max(backoff, retryAfterMs ?? 0);
}
