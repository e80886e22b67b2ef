/**
 * Records that were read from a bucket, for as long as nothing at all is written to it.
 *
 * When a gateway dies, thousands ask within seconds where they may be, and meanwhile few become
 * members or make rooms. The leader's last sequence, asked for each time, proves that a record is
 * still what it was: whoever is thrown out is so at once.
 */
import type { Bucket } from '@natter/runtime';

export interface UnchangedOptions<T> {
  bucket: Pick<Bucket, 'lastSeq' | 'getMany'>;
  /** Null for a value that can't be read. */
  parse(value: Uint8Array): T | null;
  /** Records kept; where there would be more, all are forgotten. */
  max: number;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Forgotten after this long in any case: a bucket may be made anew, and count from 1 again. */
const KEEP_MS = 30_000;

export class Unchanged<T> {
  readonly #options: UnchangedOptions<T>;
  readonly #records = new Map<string, T | null>();
  /** Last sequence of the bucket at which all of them were so. */
  #seq = 0;
  #sinceMs = 0;

  constructor(options: UnchangedOptions<T>) {
    this.#options = options;
  }

  /** The record of each key in their order; null where there is none. Throws BusError. */
  async getMany(keys: readonly string[]): Promise<(T | null)[]> {
    const { bucket, parse } = this.#options;
    const seq = await bucket.lastSeq();
    this.#forgetOlder(seq);
    const known = new Map<string, T | null>();
    for (const key of keys) {
      const record = this.#seq === seq ? this.#records.get(key) : undefined;
      if (record !== undefined) known.set(key, record);
    }
    const missing = [...new Set(keys)].filter((key) => !known.has(key));
    if (missing.length > 0) {
      const { found, upTo } = await bucket.getMany(missing, seq);
      for (const key of missing) {
        const entry = found.get(key);
        const record = entry === undefined ? null : parse(entry.value);
        known.set(key, record);
        if (upTo === this.#seq) this.#records.set(key, record);
      }
    }
    return keys.map((key) => known.get(key) ?? null);
  }

  #forgetOlder(seq: number): void {
    const nowMs = this.#options.now();
    const isOld = nowMs - this.#sinceMs > KEEP_MS || this.#records.size > this.#options.max;
    if (seq === this.#seq && !isOld) return;
    this.#records.clear();
    this.#seq = seq;
    this.#sinceMs = nowMs;
  }
}
