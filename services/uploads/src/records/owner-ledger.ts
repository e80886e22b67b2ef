/**
 * What each owner's files and uploads add up to: one value for an owner, written by compare-and-set.
 *
 * One value makes the quota strict: of two uploads that begin at once, the second sees the first. A
 * place is taken before its upload exists and given back after it is gone, so whatever dies in between
 * leaves one too many; those are looked for where a limit is reached.
 */
import { encodeToken, FileId } from '@natter/proto';
import type { Bucket } from '@natter/runtime';
import { z } from 'zod';
import { Refused } from '../refused.ts';
import { compareAndSet } from './compare-and-set.ts';
import { inBatches } from './in-batches.ts';
import { readValue } from './stored-file.ts';

/** By id: bytes, and when the place is free again; 0: it belongs to a finished file. */
const Ledger = z.object({ places: z.record(FileId, z.tuple([z.number().int(), z.number().int()])) });
type Places = z.infer<typeof Ledger>['places'];

export interface Quota {
  bytes: number;
  files: number;
}

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
    await this.#change(owner, async (places) => {
      let next: Places = { ...places, [id]: [size, expiresAt] };
      if (this.#exceeds(next)) next = { ...(await this.#cleaned(places)), [id]: [size, expiresAt] };
      if (this.#exceeds(next)) throw new Refused('QUOTA_EXCEEDED');
      return next;
    });
  }

  /** The upload has become a file, which keeps the place. */
  async settle(owner: string, id: string, size: number): Promise<void> {
    await this.#change(owner, (places) =>
      places[id]?.[1] === 0 ? null : { ...places, [id]: [size, 0] as [number, number] },
    );
  }

  /** Gives a place back; harmless to repeat. */
  async release(owner: string, id: string): Promise<void> {
    await this.#change(owner, ({ [id]: gone, ...rest }) => (gone === undefined ? null : rest));
  }

  /** Ids of the owner's finished files. */
  async files(owner: string): Promise<string[]> {
    const { places } = await this.#read(owner);
    return Object.keys(places).filter((id) => places[id]?.[1] === 0);
  }

  #exceeds(places: Places): boolean {
    const sizes = Object.values(places).map(([size]) => size);
    return sizes.length > this.#quota.files || sizes.reduce((sum, size) => sum + size, 0) > this.#quota.bytes;
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

  async #read(owner: string): Promise<{ places: Places; revision: number }> {
    const entry = await this.#bucket.getFromLeader(keyOf(owner));
    if (entry === null) return { places: {}, revision: 0 };
    return { ...readValue(Ledger, entry.value), revision: entry.revision };
  }

  /** `change` returns null where nothing is to be written. */
  async #change(owner: string, change: (places: Places) => Promise<Places> | Places | null): Promise<void> {
    await compareAndSet(async () => {
      const { places, revision } = await this.#read(owner);
      const next = await change(places);
      if (next === null) return;
      const value = JSON.stringify({ places: next });
      const key = keyOf(owner);
      const written =
        revision === 0
          ? await this.#bucket.create(key, value)
          : await this.#bucket.update(key, value, revision);
      // What was written after it stays.
      if (Object.keys(next).length === 0) await this.#bucket.purge(key, written);
    });
  }
}

function keyOf(owner: string): string {
  return `owner.${encodeToken(owner)}`;
}
