/** Parts of uploads: their names on the bus, and what they add up to. */
import { LIMITS, type StoredPart, type UploadRecord } from '@natter/proto';

/** `at`: its index, or its offset in a sequential upload. */
export type Part = StoredPart;

/** A piece of a part: what the file has of it. */
export interface Piece {
  part: Part;
  /** Bytes of the part before the piece. */
  skip: number;
}

/** The part that a subject names; null for one that nobody of us stores. */
export function partOfSubject(subject: string): Part | null {
  const match = /\.(\d{1,15})-(\d{1,9})$/.exec(subject);
  return match === null ? null : { at: Number(match[1]), length: Number(match[2]) };
}

/** Indexed parts in order; of two under one index the longer one. */
export function inOrder(parts: readonly Part[]): Part[] {
  const sorted = parts.toSorted((a, b) => a.at - b.at || b.length - a.length);
  return sorted.filter((part, index) => part.at !== sorted[index - 1]?.at);
}

/** Indexes below `total` that are missing, at most `limit`; parts in order. */
export function missingOf(parts: readonly Part[], total: number, limit: number): number[] {
  const there = new Set(parts.map(({ at }) => at));
  const missing: number[] = [];
  for (let index = 0; index < total && missing.length < limit; index += 1) {
    if (!there.has(index)) missing.push(index);
  }
  return missing;
}

/**
 * Pieces of sequential parts that follow each other from 0 without a gap.
 *
 * A broken PATCH that was sent again leaves parts that overlap: the one that reaches farthest counts.
 */
export function chain(parts: readonly Part[]): { pieces: Piece[]; end: number } {
  const sorted = parts.toSorted((a, b) => a.at - b.at);
  const pieces: Piece[] = [];
  let end = 0;
  for (let next = 0; ; ) {
    let best: Part | null = null;
    for (; next < sorted.length; next += 1) {
      const part = sorted[next];
      if (part === undefined || part.at > end) break;
      if (part.at + part.length > Math.max(end, best === null ? 0 : best.at + best.length)) best = part;
    }
    if (best === null) return { pieces, end };
    pieces.push({ part: best, skip: end - best.at });
    end = best.at + best.length;
  }
}

export function bytesOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

export function isSame(one: Part, other: Part): boolean {
  return one.at === other.at && one.length === other.length;
}

/**
 * Parts that must go: others of an index that came again, what is outside of the upload or above its
 * size, and in a sequential one what others cover. `stored`: those that came last, in their order.
 */
export function superfluous(
  { mode, size, totalChunks }: Pick<UploadRecord, 'mode' | 'size' | 'totalChunks'>,
  parts: readonly Part[],
  stored: readonly Part[],
): Part[] {
  if (mode === 'sequential') {
    const inside = parts.filter(({ at, length }) => at + length <= size);
    const { pieces, end } = chain(inside);
    const needed = new Set(pieces.map(({ part }) => part));
    return parts.filter(
      (part) => !needed.has(part) && (part.at + part.length <= end || !inside.includes(part)),
    );
  }
  const latest = new Map(
    stored.filter((part) => parts.some((one) => isSame(one, part))).map((part) => [part.at, part]),
  );
  const most = totalChunks ?? LIMITS.chunksPerUpload;
  const gone = parts.filter((part) => part.at >= most || !isSame(latest.get(part.at) ?? part, part));
  // Several gateways at once took more than the file has: whoever asks last, gives way.
  for (const part of stored.toReversed()) {
    const left = inOrder(parts.filter((one) => !gone.includes(one)));
    if (bytesOf(left) <= size) break;
    gone.push(...left.filter((one) => isSame(one, part)));
  }
  return gone;
}
