/** Says in the log when a scanner can't judge files, and why; not once for each file. */
import type { Logger } from '@natter/runtime';
import type { Scanner, Verdict } from '../ports.ts';

/** A scanner that is down says the same of every file. */
const QUIET_MS = 60_000;

/** The same scanner; at most one line a minute. */
export function withWarnings(
  scanner: Scanner,
  { log, now }: { log: Pick<Logger, 'warn'>; now: () => number },
): Scanner {
  let quietUntil = Number.NEGATIVE_INFINITY;
  const warn = (verdict: Verdict): Verdict => {
    if (verdict.verdict !== 'unknown' || now() < quietUntil) return verdict;
    quietUntil = now() + QUIET_MS;
    log.warn({ reason: verdict.reason }, 'a file could not be scanned: such files wait in quarantine');
    return verdict;
  };
  return {
    ping: () => scanner.ping(),
    begin: async () => {
      const scan = await scanner.begin();
      return {
        push: (bytes) => scan.push(bytes),
        end: async () => warn(await scan.end()),
        abort: () => scan.abort(),
      };
    },
  };
}
