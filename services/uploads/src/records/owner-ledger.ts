/**
 * What each owner's files and uploads add up to: one value for an owner, written by compare-and-set.
 *
 * One value makes the quota strict: of two uploads that begin at once, the second sees the first. A
 * place is taken before its upload exists and given back after it is gone, so whatever dies in between
 * leaves one too many; those are looked for where a limit is reached.
 */
import { encodeToken, FileId } from '@natter/proto';
import { type Bucket, compareAndSet } from '@natter/runtime';
import { z } from 'zod';
import { Refused } from '../refused.ts';
import { inBatches } from './in-batches.ts';
import { readValue } from './stored-file.ts';

const Ledger = z.object({
  /** By id: bytes, and when the place is free again; 0: it belongs to a finished file. */
  places: z.record(FileId, z.tuple([z.number().int(), z.number().int()])),
  /** Uploads whose record still says how they ended, the oldest first; they take no place. */
  ended: z.array(FileId).default([]),
});
type Ledger = z.infer<typeof Ledger>;
type Places = Ledger['places'];

export interface Quota {
  bytes: number;
  files: number;
  /** Bytes of those that are no files yet: CHUNKS has 2 GiB for the uploads of all. */
  unfinishedBytes: number;
}

/** Records of ended uploads of one owner: with 300 bytes each, 800 owners fill the bucket `uploads`. */
export const MOST_ENDED = 256;

/** Reads under way where a limit is reached. */
const BATCH = 32;

export class OwnerLedger {
  readonly #bucket: Bucket;
  readonly #quota: Quota;
  readonly #exists: (id: string) => Promise<boolean>;
  readonly #now: () => number;

  /** `exists`: whether there is a finished file of this id. */
  constructor(bucket: Bucket, quota: Quota, exists: (id: string) => Promise<boolean>, now: () => number) {
    this.#bucket = bucket;
    this.#quota = quota;
    this.#exists = exists;
    this.#now = now;
  }

  /** Takes a place for an upload; throws QUOTA_EXCEEDED. */
  async reserve(owner: string, id: string, size: number, expiresAt: number): Promise<void> {
    await this.#change(owner, async ({ places, ended }) => {
      let next: Places = { ...places, [id]: [size, expiresAt] };
      if (this.#excess(next) !== null) next = { ...(await this.#cleaned(places)), [id]: [size, expiresAt] };
      const detail = this.#excess(next);
      if (detail !== null) throw new Refused('QUOTA_EXCEEDED', { detail });
      return { places: next, ended };
    });
  }

  /** The upload has become a file, which keeps the place. */
  async settle(owner: string, id: string, size: number): Promise<void> {
    await this.#change(owner, ({ places, ended }) =>
      places[id]?.[1] === 0 ? null : { places: { ...places, [id]: [size, 0] }, ended },
    );
  }

  /** Gives a place back; harmless to repeat. */
  async release(owner: string, id: string): Promise<void> {
    await this.#change(owner, ({ places: { [id]: gone, ...places }, ended }) =>
      gone === undefined ? null : { places, ended },
    );
  }

  /**
   * Gives a place back whose upload keeps a record of how it ended; harmless to repeat.
   *
   * Above `MOST_ENDED` of them `drop` is called for the oldest, before they are forgotten here.
   */
  async end(owner: string, id: string, drop: (id: string) => Promise<void>): Promise<void> {
    await this.#change(owner, async ({ places: { [id]: gone, ...places }, ended }) => {
      if (gone === undefined && ended.includes(id)) return null;
      const all = [...ended.filter((one) => one !== id), id];
      for (const old of all.slice(0, -MOST_ENDED)) await drop(old);
      return { places, ended: all.slice(-MOST_ENDED) };
    });
  }

  /** Ids of the owner's finished files. */
  async files(owner: string): Promise<string[]> {
    const { places } = await this.#read(owner);
    return Object.keys(places).filter((id) => places[id]?.[1] === 0);
  }

  /** Which limit is exceeded, for the client; null: none. */
  #excess(places: Places): string | null {
    const { files, bytes, unfinishedBytes } = this.#quota;
    const all = Object.values(places);
    const unfinished = all.filter(([, expiresAt]) => expiresAt !== 0);
    if (all.length > files) return 'files';
    if (sumOf(all) > bytes) return 'bytes';
    return sumOf(unfinished) > unfinishedBytes ? 'unfinished uploads' : null;
  }

  /** Without places of uploads that have expired and of files that are gone. */
  async #cleaned(places: Places): Promise<Places> {
    const now = this.#now();
    const kept = await inBatches(Object.entries(places), BATCH, async ([id, [size, expiresAt]]) => {
      if (expiresAt > now) return [[id, [size, expiresAt]]] as const;
      // One that has expired may have become a file whose owner was not told any more.
      return (await this.#exists(id)) ? [[id, [size, 0]] as const] : [];
    });
    return Object.fromEntries(kept.flat()) as unknown as Places;
  }

  async #read(owner: string): Promise<Ledger & { revision: number }> {
    const entry = await this.#bucket.getFromLeader(keyOf(owner));
    if (entry === null) return { places: {}, ended: [], revision: 0 };
    return { ...readValue(Ledger, entry.value), revision: entry.revision };
  }

  /** `change` returns null where nothing is to be written. */
  async #change(
    owner: string,
    change: (ledger: Ledger) => Promise<Ledger | null> | Ledger | null,
  ): Promise<void> {
    await compareAndSet(async () => {
      const { revision, ...ledger } = await this.#read(owner);
      const next = await change(ledger);
      if (next === null) return;
      const value = JSON.stringify(next);
      const key = keyOf(owner);
      const written =
        revision === 0
          ? await this.#bucket.create(key, value)
          : await this.#bucket.update(key, value, revision);
      // What was written after it stays.
      if (next.ended.length === 0 && Object.keys(next.places).length === 0)
        await this.#bucket.purge(key, written);
    });
  }
}

function sumOf(places: readonly (readonly [number, number])[]): number {
  return places.reduce((sum, [size]) => sum + size, 0);
}

function keyOf(owner: string): string {
  return `owner.${encodeToken(owner)}`;
}
