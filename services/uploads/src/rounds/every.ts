/** Does something again and again, never twice at once. */
import { isBusError, type Logger } from '@natter/runtime';

const STOP_MS = 2_000;

export interface Round {
  /** Begins nothing more, and waits for what is under way, 2 s at most: another instance can go on with it. */
  stop(): Promise<void>;
}

/** What `task` throws is logged; the next round tries again. */
export function every(intervalMs: number, name: string, task: () => Promise<void>, log: Logger): Round {
  let running: Promise<void> | null = null;
  const run = async () => {
    try {
      await task();
    } catch (err) {
      // While the broker is away, or no agent has made the buckets, each round would say so.
      log[isBusError(err, 'UNAVAILABLE') ? 'debug' : 'error']({ err, round: name }, 'a round failed');
    }
    running = null;
  };
  const timer = setInterval(() => {
    running ??= run();
  }, intervalMs);
  return {
    async stop() {
      clearInterval(timer);
      if (running === null) return;
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timeout = setTimeout(resolve, STOP_MS);
      await Promise.race([running, late]);
      clearTimeout(timeout);
    },
  };
}
