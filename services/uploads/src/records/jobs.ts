/**
 * Work on files that any instance may do, one at a time: keys `<kind>.<file>` of the bucket `file_index`.
 *
 * Each says until when it is somebody's; after that another one takes it by compare-and-set.
 */
import { BUCKETS } from '@natter/proto';
import type { Bucket, StreamReader } from '@natter/runtime';
import { z } from 'zod';
import { unlessConflict } from './compare-and-set.ts';
import { readValue } from './stored-file.ts';

/** `until`: nobody else begins with it before, in milliseconds since 1970. */
const Job = z.object({ until: z.number().int() });

/** Jobs of one look; the rest waits for the next. */
const PAGE = 256;

export class Jobs {
  readonly #bucket: Bucket;
  readonly #stored: StreamReader;
  readonly #kind: 'scan' | 'text';
  readonly #now: () => number;

  constructor(bucket: Bucket, stored: StreamReader, kind: 'scan' | 'text', now: () => number) {
    this.#bucket = bucket;
    this.#stored = stored;
    this.#kind = kind;
    this.#now = now;
  }

  /** Harmless to repeat. `delayMs`: for so long it is left to whoever adds it. */
  async add(id: string, delayMs: number): Promise<void> {
    await unlessConflict(this.#bucket.create(this.#key(id), this.#value(delayMs)));
  }

  /** Files whose job is nobody's now, the oldest first. */
  async open(): Promise<string[]> {
    const filter = `$KV.${BUCKETS.fileIndex}.${this.#kind}.*`;
    const found = await this.#stored.from(`KV_${BUCKETS.fileIndex}`, filter, 1, PAGE);
    return found
      .filter(({ data }) => data.length > 0 && readValue(Job, data).until <= this.#now())
      .map(({ subject }) => subject.slice(subject.lastIndexOf('.') + 1));
  }

  /** Takes a job for `holdMs`; false when it is another's, or done. */
  async claim(id: string, holdMs: number): Promise<boolean> {
    const entry = await this.#bucket.getFromLeader(this.#key(id));
    if (entry === null || readValue(Job, entry.value).until > this.#now()) return false;
    const claimed = this.#bucket.update(this.#key(id), this.#value(holdMs), entry.revision);
    return (await unlessConflict(claimed)) !== null;
  }

  /** Gives a claimed job back, to be taken again after `delayMs`. */
  async postpone(id: string, delayMs: number): Promise<void> {
    const entry = await this.#bucket.getFromLeader(this.#key(id));
    if (entry === null) return;
    await unlessConflict(this.#bucket.update(this.#key(id), this.#value(delayMs), entry.revision));
  }

  async done(id: string): Promise<void> {
    await this.#bucket.purge(this.#key(id));
  }

  #key(id: string): string {
    return `${this.#kind}.${id}`;
  }

  #value(delayMs: number): string {
    return JSON.stringify({ until: this.#now() + delayMs } satisfies z.infer<typeof Job>);
  }
}
