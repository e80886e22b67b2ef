/**
 * Work on files that any instance may do, one at a time: keys `<kind>.<file>` of the bucket `file_index`.
 *
 * Each says until when it is somebody's; after that another one takes it by compare-and-set.
 */
import { BUCKETS } from '@natter/proto';
import { type Bucket, type StreamReader, unlessConflict } from '@natter/runtime';
import { z } from 'zod';
import { readValue } from './stored-file.ts';

const Job = z.object({
  /** Nobody else begins with it before, in milliseconds since 1970. */
  until: z.number().int(),
  /** How often it was taken, also by those that died of it. */
  tries: z.number().int().default(0),
});
type Job = z.infer<typeof Job>;

/** Jobs of one look; the rest waits for the next. */
const PAGE = 256;
/** Those that wait come first, up to 4,096 of them. */
const MAX_PAGES = 16;

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
    await unlessConflict(this.#bucket.create(this.#key(id), this.#value(delayMs, 0)));
  }

  /** Files whose job is nobody's now, the oldest first. */
  async open(): Promise<string[]> {
    const filter = `$KV.${BUCKETS.fileIndex}.${this.#kind}.*`;
    const ids: string[] = [];
    for (let pages = 0, seq = 1; pages < MAX_PAGES && ids.length < PAGE; pages += 1) {
      const page = await this.#stored.from(`KV_${BUCKETS.fileIndex}`, filter, seq, PAGE);
      const due = page.filter(({ data }) => data.length > 0 && readValue(Job, data).until <= this.#now());
      ids.push(...due.map(({ subject }) => subject.slice(subject.lastIndexOf('.') + 1)));
      if (page.length < PAGE) break;
      seq = (page.at(-1)?.seq ?? 0) + 1;
    }
    return ids.slice(0, PAGE);
  }

  /** Takes a job for `holdMs`: which try this is, from 1 on; 0 when it is another's, or done. */
  async claim(id: string, holdMs: number): Promise<number> {
    const entry = await this.#bucket.getFromLeader(this.#key(id));
    if (entry === null) return 0;
    const job = readValue(Job, entry.value);
    if (job.until > this.#now()) return 0;
    const tries = job.tries + 1;
    const claimed = this.#bucket.update(this.#key(id), this.#value(holdMs, tries), entry.revision);
    return (await unlessConflict(claimed)) === null ? 0 : tries;
  }

  /** Gives a claimed job back, to be taken again after `delayMs`. `forgive`: its tries don't count. */
  async postpone(id: string, delayMs: number, forgive = false): Promise<void> {
    const entry = await this.#bucket.getFromLeader(this.#key(id));
    if (entry === null) return;
    const tries = forgive ? 0 : readValue(Job, entry.value).tries;
    await unlessConflict(this.#bucket.update(this.#key(id), this.#value(delayMs, tries), entry.revision));
  }

  async done(id: string): Promise<void> {
    await this.#bucket.purge(this.#key(id));
  }

  #key(id: string): string {
    return `${this.#kind}.${id}`;
  }

  #value(delayMs: number, tries: number): string {
    return JSON.stringify({ until: this.#now() + delayMs, tries } satisfies Job);
  }
}
