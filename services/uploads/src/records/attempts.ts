/**
 * Which bytes are being stored or taken away: keys `attempt.<file>.<suffix>` of the bucket `file_index`.
 *
 * Noted before the first byte and removed after the last step, so that whatever dies in between is
 * found by a sweep, and completed or cleaned up.
 */
import { randomBytes } from 'node:crypto';
import { BUCKETS } from '@natter/proto';
import { type Bucket, type StreamReader, unlessConflict } from '@natter/runtime';
import { Attempt, readValue } from './stored-file.ts';

export interface FoundAttempt extends Attempt {
  revision: number;
}

/** Attempts of one look; the rest waits for the next. */
const PAGE = 256;

export class Attempts {
  readonly #bucket: Bucket;
  readonly #stored: StreamReader;
  readonly #now: () => number;

  constructor(bucket: Bucket, stored: StreamReader, now: () => number) {
    this.#bucket = bucket;
    this.#stored = stored;
    this.#now = now;
  }

  /** Notes that a file's bytes are written under a new key. */
  async begin(
    file: Pick<Attempt, 'id' | 'owner' | 'conversation'>,
    store: Attempt['store'],
  ): Promise<FoundAttempt> {
    const { id, owner, conversation } = file;
    const key = `${id}-${randomBytes(4).toString('hex')}`;
    const attempt = { key, store, id, owner, conversation, at: this.#now(), swept: false };
    return { ...attempt, revision: await this.#bucket.create(keyOf(key), JSON.stringify(attempt)) };
  }

  /** Notes that what is stored under a key goes; harmless to repeat. */
  async end(attempt: Omit<Attempt, 'at' | 'swept'>): Promise<void> {
    const value = JSON.stringify({ ...attempt, at: this.#now(), swept: false } satisfies Attempt);
    await unlessConflict(this.#bucket.create(keyOf(attempt.key), value));
  }

  /** Says that it still goes on, or that it is swept; throws BusError CONFLICT when it is not ours any more. */
  async keep(attempt: FoundAttempt, swept = false): Promise<void> {
    const { revision, ...value } = attempt;
    const next: Attempt = { ...value, at: this.#now(), swept };
    await this.#bucket.update(keyOf(attempt.key), JSON.stringify(next), revision);
  }

  /** Attempts that began more than `ageMs` ago. */
  async olderThan(ageMs: number): Promise<FoundAttempt[]> {
    const filter = `$KV.${BUCKETS.fileIndex}.attempt.*.*`;
    const found = await this.#stored.from(`KV_${BUCKETS.fileIndex}`, filter, 1, PAGE);
    return found
      .filter(({ data }) => data.length > 0)
      .map(({ data, seq }) => ({ ...readValue(Attempt, data), revision: seq }))
      .filter(({ at }) => at <= this.#now() - ageMs);
  }

  async remove(key: string): Promise<void> {
    await this.#bucket.purge(keyOf(key));
  }
}

function keyOf(key: string): string {
  // 36 characters of the file's id, and the suffix behind the hyphen.
  return `attempt.${key.slice(0, 36)}.${key.slice(37)}`;
}
