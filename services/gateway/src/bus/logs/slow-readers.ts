/** Readers of a feed that are too slow: lines are counted for them, and not sent. */
import type { LogReader } from './log-reader.ts';

/** A reader that has not caught up for this long is closed. */
const ASIDE_MS = 60_000;
/** It goes on when so little waits: a quarter of what it was set aside for. */
const BACK_SHARE = 4;

export interface SlowLimits {
  now: () => number;
  softBufferBytes: number;
  hardBufferBytes: number;
}

export class SlowReaders {
  readonly #limits: SlowLimits;
  /** Lines of the feed so far. */
  readonly #count: () => number;
  readonly #aside = new Map<LogReader, { count: number; sent: number; atMs: number }>();

  constructor(limits: SlowLimits, count: () => number) {
    this.#limits = limits;
    this.#count = count;
  }

  [Symbol.iterator](): IterableIterator<LogReader> {
    return this.#aside.keys();
  }

  isSlow({ outlet }: LogReader): boolean {
    return outlet.buffered() > this.#limits.softBufferBytes;
  }

  /** `lastSent`: the last line that it was sent. */
  add(reader: LogReader, lastSent: number): void {
    if (reader.outlet.buffered() > this.#limits.hardBufferBytes) return reader.end('slowReader');
    const sent = Math.max(reader.from, lastSent);
    this.#aside.set(reader, { count: this.#count(), sent, atMs: this.#limits.now() });
  }

  delete(reader: LogReader): void {
    this.#aside.delete(reader);
  }

  /** How far a reader was sent lines before it was set aside; null for who isn't. */
  sentTo(reader: LogReader): number | null {
    return this.#aside.get(reader)?.sent ?? null;
  }

  /** Those that go on, each told how many lines it has missed. Ends those that take too long. */
  *caughtUp(): Generator<LogReader> {
    const { softBufferBytes, now } = this.#limits;
    for (const [reader, { count, atMs }] of this.#aside) {
      if (reader.outlet.buffered() > softBufferBytes / BACK_SHARE) {
        if (now() - atMs > ASIDE_MS) reader.end('slowReader');
        continue;
      }
      this.#aside.delete(reader);
      const missed = this.#count() - count;
      if (missed > 0) reader.sendGap(missed);
      yield reader;
    }
  }
}
