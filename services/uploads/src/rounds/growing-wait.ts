/** How long work that failed waits for its next try. */

/** Longest wait. */
export const LONGEST_WAIT_MS = 3_600_000;

/** After the first try `firstMs`, after each further one twice as long, up to an hour. */
export function growingWait(firstMs: number, tries: number): number {
  return Math.min(firstMs * 2 ** (tries - 1), Math.max(firstMs, LONGEST_WAIT_MS));
}
