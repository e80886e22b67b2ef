/** A line of this service for everybody who watches logs. */
import type { LogLevel } from '@natter/proto';
import type { ProcessLogs } from './process-logs.ts';

let ofThisProcess: ProcessLogs | null = null;

/** Called once by `runService`. */
export function setProcessLogs(logs: ProcessLogs): void {
  ofThisProcess = logs;
}

/**
 * Writes a line of this service to standard output and ships it, secrets redacted like in any line.
 *
 * LOG_LEVEL decides whether standard output shows it. It is shipped below NATTER_SHIPPED_LOG_LEVEL
 * too: whoever calls this wants it seen; only `silent` keeps it here. Never throws and never waits.
 * False where no `runService` runs, as in tests: then there is nobody to tell.
 */
export function broadcastLog(
  message: string,
  { level = 'info', category = 'broadcast' }: { level?: LogLevel; category?: string } = {},
): boolean {
  ofThisProcess?.broadcast(message, level, category);
  return ofThisProcess !== null;
}
