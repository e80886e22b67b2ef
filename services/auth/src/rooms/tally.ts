/**
 * Rooms of users that count against a limit: one key for each, in the bucket `rooms`.
 *
 * The broker counts the keys. A key is written before what it stands for and taken away after it,
 * so whatever dies in between leaves one too many; those are looked for where a limit is reached.
 */
import { BUCKETS, encodeToken } from '@natter/proto';
import { type Bucket, type StreamReader, unlessConflict } from '@natter/runtime';
import { inBatches } from '../in-batches.ts';
import { bucketCount } from './bucket-count.ts';

/** What a younger key stands for may be on its way: a request ends within 20 s. */
const SETTLED_MS = 60_000;
/** Reads under way for one request. */
const BATCH = 32;

export class Tally {
  readonly #bucket: Bucket;
  readonly #stored: StreamReader;
  readonly #name: 'owned' | 'added';
  readonly #now: () => number;

  constructor(bucket: Bucket, stored: StreamReader, name: 'owned' | 'added', now: () => number) {
    this.#bucket = bucket;
    this.#stored = stored;
    this.#name = name;
    this.#now = now;
  }

  async add(sub: string, room: string): Promise<void> {
    await unlessConflict(this.#bucket.create(`${this.#prefix(sub)}.${room}`, ''));
  }

  remove(sub: string, room: string): Promise<void> {
    return this.#bucket.purge(`${this.#prefix(sub)}.${room}`);
  }

  count(sub: string): Promise<number> {
    return bucketCount(this.#stored, BUCKETS.rooms, this.#prefix(sub));
  }

  /** Keys of rooms, at most `limit`. */
  async list(sub: string, limit: number): Promise<string[]> {
    return (await this.#entries(sub, limit)).map(({ room }) => room);
  }

  /** Whether `limit` rooms count; those that `isGone` says don't any more are taken away first. */
  async isFull(sub: string, limit: number, isGone: (room: string) => Promise<boolean>): Promise<boolean> {
    if ((await this.count(sub)) < limit) return false;
    const entries = await this.#entries(sub, limit);
    const settled = entries.filter(({ timeMs }) => this.#now() - timeMs > SETTLED_MS);
    const gone = await inBatches(settled, BATCH, async ({ room }) => {
      if (!(await isGone(room))) return false;
      await this.remove(sub, room);
      return true;
    });
    return entries.length - gone.filter(Boolean).length >= limit;
  }

  async #entries(sub: string, limit: number): Promise<{ room: string; timeMs: number }[]> {
    const filter = `$KV.${BUCKETS.rooms}.${this.#prefix(sub)}.*`;
    const stored = await this.#stored.from(`KV_${BUCKETS.rooms}`, filter, 1, limit);
    return stored.map(({ subject, timeMs }) => ({
      room: subject.slice(subject.lastIndexOf('.') + 1),
      timeMs,
    }));
  }

  #prefix(sub: string): string {
    return `${this.#name}.${encodeToken(sub)}`;
  }
}
