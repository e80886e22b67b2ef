/** Starts work at fixed times, however long earlier work takes. */
import { monotonicMicros } from '../measure/clock.ts';

export interface OpenLoopOptions {
  count: number;
  /** Starts a second. */
  rate: number;
  /** Most that may be unfinished; more means the system can't keep up, and the loop fails. */
  limit: number;
}

/**
 * Calls `work` with each start's intended time, in microseconds of the shared clock.
 *
 * A late start keeps its intended time: what waits because the system is slow counts as slow.
 */
export async function openLoop(
  { count, rate, limit }: OpenLoopOptions,
  work: (index: number, intendedMicros: number) => Promise<void>,
): Promise<void> {
  const begin = monotonicMicros();
  const intended = (index: number) => begin + (index * 1e6) / rate;
  let open = 0;
  let failure: unknown = null;
  let settle: () => void = () => {};
  const start = (index: number) => {
    open += 1;
    work(index, intended(index))
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => {
        open -= 1;
        settle();
      });
  };
  for (let index = 0; index < count && failure === null; ) {
    while (index < count && intended(index) <= monotonicMicros()) start(index++);
    if (open > limit) failure ??= new Error(`more than ${limit} were unfinished at ${rate} a second`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  while (open > 0)
    await new Promise<void>((resolve) => {
      settle = resolve;
    });
  if (failure !== null) throw failure;
}
