/** Goes on trying while the broker is away. */
import { asBusError } from './errors.ts';

/**
 * Repeats `attempt` while it fails with UNAVAILABLE, until `timeoutMs` have passed.
 *
 * `attempt` gets the milliseconds that are left; it must be harmless to repeat. Throws BusError.
 */
export async function whileUnavailable<T>(
  timeoutMs: number,
  attempt: (remainingMs: number) => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (let delayMs = 25; ; delayMs = Math.min(delayMs * 2, 400)) {
    try {
      return await attempt(deadline - Date.now());
    } catch (error) {
      const reason = asBusError(error);
      if (reason.code !== 'UNAVAILABLE' || Date.now() + delayMs >= deadline) throw reason;
    }
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}
