/**
 * Rooms in the bucket `rooms`: which room an id means, and what each room is.
 *
 * A shared or group room exists while its index entry names a life whose record is there. The
 * record is written before the index and deleted before it, so whatever dies in between leaves
 * an index that the next creator replaces, never a room that can't be made again.
 */
import { randomBytes } from 'node:crypto';
import { conversationKey, encodeToken, Room, roomKey } from '@natter/proto';
import { type Bucket, compareAndSet, type Logger, unlessConflict } from '@natter/runtime';
import { z } from 'zod';
import { readRecord } from '../stored-record.ts';
import type { Tally } from './tally.ts';
import { Unchanged } from './unchanged.ts';

/** At about 500 bytes each: 10 MB. */
const MAX_UNCHANGED = 20_000;

const Index = z.object({ life: z.string().min(1).max(64) });

type Draft = Omit<Room, 'key'>;

export class RoomStore {
  readonly #bucket: Bucket;
  readonly #owned: Tally;
  readonly #log: Logger;
  readonly #unchanged: Unchanged<Room>;

  constructor(bucket: Bucket, owned: Tally, log: Logger, now: () => number) {
    this.#bucket = bucket;
    this.#owned = owned;
    this.#log = log;
    const parse = (value: Uint8Array) => readRecord(Room, { value }, log);
    this.#unchanged = new Unchanged({ bucket, parse, max: MAX_UNCHANGED, now });
  }

  /** The room of a key, or null. */
  async byKey(key: string): Promise<Room | null> {
    return (await this.#read(key))?.room ?? null;
  }

  /** The rooms of many keys, by key; those that don't exist are left out. */
  async byKeys(keys: readonly string[]): Promise<Map<string, Room>> {
    const rooms = await this.#unchanged.getMany(keys.map(recordKey));
    return new Map(rooms.flatMap((room) => (room === null ? [] : [[room.key, room]])));
  }

  /** The key of the shared or group room of an id, or null; its room may be gone. */
  async keyOf(id: string): Promise<string | null> {
    const index = await this.#index(id);
    return index === null ? null : roomKey(id, index.life);
  }

  /** The private room of this id of a user, or null. */
  ownedBy(sub: string, id: string): Promise<Room | null> {
    return this.byKey(conversationKey(sub, id));
  }

  /** Makes a private room; `made` is false where there was one. */
  async makePrivate(draft: Draft): Promise<{ room: Room; made: boolean }> {
    const room = { ...draft, key: conversationKey(draft.owner, draft.id) };
    return compareAndSet(async () => {
      const found = await this.byKey(room.key);
      if (found !== null) return { room: found, made: false };
      await this.#bucket.create(recordKey(room.key), JSON.stringify(room));
      return { room, made: true };
    });
  }

  /** Makes a shared or group room; null where there is one of this id. */
  async makePublic(draft: Draft): Promise<Room | null> {
    const before = await this.#index(draft.id);
    if (before !== null && (await this.byKey(roomKey(draft.id, before.life))) !== null) return null;
    // 96 bits: no two rooms of an id ever have the same key, so what was said in one stays in it.
    const life = randomBytes(12).toString('hex');
    const room = { ...draft, key: roomKey(draft.id, life) };
    await this.#owned.add(room.owner, room.key);
    await this.#bucket.create(recordKey(room.key), JSON.stringify(room));
    const index = JSON.stringify({ life });
    const name = indexKey(draft.id);
    const claimed = await unlessConflict(
      before === null ? this.#bucket.create(name, index) : this.#bucket.update(name, index, before.revision),
    );
    // After a lost acknowledgement the conflict is with ourselves.
    if (claimed !== null || (await this.#index(draft.id))?.life === life) return room;
    await this.forget(room);
    return null;
  }

  /** Changes a room; null when it is gone. */
  change(key: string, changes: Partial<Pick<Room, 'name' | 'ai'>>): Promise<Room | null> {
    return compareAndSet(async () => {
      const found = await this.#read(key);
      if (found === null) return null;
      const room = { ...found.room, ...changes };
      await this.#bucket.update(recordKey(key), JSON.stringify(room), found.revision);
      return room;
    });
  }

  /** Deletes a room. Its record goes first: that is what gateways hear, and what ends it. */
  async delete(room: Room): Promise<void> {
    await this.#bucket.delete(recordKey(room.key));
    const index = room.type === 'private' ? null : await this.#index(room.id);
    // If a new room of this id has replaced it meanwhile, that one has a later revision.
    if (index !== null && roomKey(room.id, index.life) === room.key)
      await this.#bucket.purge(indexKey(room.id), index.revision);
    await this.forget(room);
  }

  /** Takes the record of a room away without telling gateways. */
  async forget(room: Room): Promise<void> {
    await this.#bucket.purge(recordKey(room.key));
    if (room.type !== 'private') await this.#owned.remove(room.owner, room.key);
  }

  /** Whether a shared or group room is gone; what a dead service left of it is taken away. */
  async isGone(key: string): Promise<boolean> {
    const room = await this.byKey(key);
    if (room === null) return true;
    if ((await this.keyOf(room.id)) === key) return false;
    await this.#bucket.purge(recordKey(key));
    return true;
  }

  async #index(id: string): Promise<{ life: string; revision: number } | null> {
    const entry = await this.#bucket.getFromLeader(indexKey(id));
    if (entry === null) return null;
    // An unreadable one is replaced by the next creator.
    const life = readRecord(Index, entry, this.#log)?.life ?? 'unreadable';
    return { life, revision: entry.revision };
  }

  async #read(key: string): Promise<{ room: Room; revision: number } | null> {
    const entry = await this.#bucket.getFromLeader(recordKey(key));
    const room = entry === null ? null : readRecord(Room, entry, this.#log);
    return entry === null || room === null ? null : { room, revision: entry.revision };
  }
}

function indexKey(id: string): string {
  return `id.${encodeToken(id)}`;
}

function recordKey(key: string): string {
  return `room.${key}`;
}
