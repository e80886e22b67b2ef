/** Says in the log that upload commands fail. */
import { isBusError, type Logger } from '@natter/runtime';

/** While the broker is away, 64 commands of each connection fail for the same reason. */
const EVERY_MS = 1_000;

interface Said {
  atMs: number;
  /** Failures since, of which nothing was said. */
  more: number;
}

/** Of each gateway, by its log; a process has one. */
const saidOf = new WeakMap<Logger, Said>();

/** A line a second at most for what is passing; `more` counts those without a line before it. */
export function logUploadFailure(log: Logger, nowMs: number, err: unknown, step: string): void {
  if (!isBusError(err, 'UNAVAILABLE')) {
    log.error({ err, step }, 'an upload command failed');
    return;
  }
  const said = saidOf.get(log);
  if (said !== undefined && nowMs - said.atMs < EVERY_MS) {
    said.more += 1;
    return;
  }
  saidOf.set(log, { atMs: nowMs, more: 0 });
  log.warn({ err, step, more: said?.more ?? 0 }, 'upload commands fail for now');
}
