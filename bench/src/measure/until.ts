/** Waits for something that the load can see for itself. */
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 50;

/** Resolves when `met` is true; rejects with what it throws, or after `timeoutMs`. */
export async function until(
  timeoutMs: number,
  what: string,
  met: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await met())) {
    if (performance.now() > deadline) throw new Error(`not after ${timeoutMs} ms: ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}
