/**
 * A sequence of LOGS, and when the broker stored the line that has it.
 *
 * Lines are not worth an fsync each. So a broker that is killed loses the last of them, although it
 * had acknowledged and republished them, and gives their sequences to other lines.
 */
import type { StreamState } from '@natter/runtime';

export interface Landmark {
  seq: number;
  /** Milliseconds since 1970; NaN: unknown. */
  timeMs: number;
}

export const NOWHERE: Landmark = { seq: 0, timeMs: Number.NaN };

export function furthest(one: Landmark, other: Landmark): Landmark {
  return one.seq > other.seq ? one : other;
}

/** Whether LOGS has another line there now, or has never come so far. */
export async function isBroken(
  store: { timeOf(seq: number): Promise<number> },
  { seq, timeMs }: Landmark,
  { firstSeq, lastSeq }: StreamState,
): Promise<boolean> {
  if (seq === Number.POSITIVE_INFINITY || seq < firstSeq) return false;
  if (seq > lastSeq) return true;
  const found = await store.timeOf(seq);
  return Number.isFinite(timeMs) && Number.isFinite(found) && found !== timeMs;
}
