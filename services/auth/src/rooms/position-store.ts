/**
 * Positions: the rooms of a user, and up to where each was sent to them.
 *
 * Made here when somebody joins, moved on by gateways, deleted here when they go. A position
 * permits nothing; one that was left behind is deleted when its user's rooms are listed.
 */
import { BUCKETS, encodeToken } from '@natter/proto';
import { type Bucket, BusError, compareAndSet, type StreamReader, unlessConflict } from '@natter/runtime';
import { bucketCount } from './bucket-count.ts';
import { bucketPages } from './bucket-pages.ts';

export interface Position {
  room: string;
  revision: number;
}

const START = JSON.stringify({ seq: 0 });
/** 20,000 rooms that a user was in; beyond that they count as being in too many. */
const MAX_PAGES = 20;

export class PositionStore {
  readonly #bucket: Bucket;
  readonly #stored: StreamReader;

  constructor(bucket: Bucket, stored: StreamReader) {
    this.#bucket = bucket;
    this.#stored = stored;
  }

  /** Whether the room is among the user's. */
  async has(sub: string, room: string): Promise<boolean> {
    return (await this.#bucket.getFromLeader(positionKey(sub, room))) !== null;
  }

  /** Puts a room among the user's, unless it is. */
  async ensure(sub: string, room: string): Promise<void> {
    if (await this.has(sub, room)) return;
    // A conflict means that another request of theirs was faster.
    await unlessConflict(this.#bucket.create(positionKey(sub, room), START));
  }

  /**
   * Puts a room among those of a user who came (back): always a new revision, so that a kick
   * before it, which is about to delete the position, deletes nothing.
   */
  async begin(sub: string, room: string): Promise<void> {
    const key = positionKey(sub, room);
    // As a rule there is none.
    if ((await unlessConflict(this.#bucket.create(key, START))) !== null) return;
    await compareAndSet(async () => {
      const entry = await this.#bucket.getFromLeader(key);
      if (entry === null) await this.#bucket.create(key, START);
      else await this.#bucket.update(key, START, entry.revision);
    });
  }

  /** Deletes a position unless its user `isBack`; what is asked is asked after the position was read. */
  async end(sub: string, room: string, isBack: () => Promise<boolean>): Promise<void> {
    const key = positionKey(sub, room);
    await compareAndSet(async () => {
      const entry = await this.#bucket.getFromLeader(key);
      if (entry === null || (await isBack())) return;
      await this.#bucket.purge(key, entry.revision);
      // A gateway may have moved it on meanwhile.
      if (await this.has(sub, room)) throw new BusError('CONFLICT', 'the position was written meanwhile');
    });
  }

  /** Deletes a position that nobody begins again: its room is gone for ever. */
  delete(sub: string, room: string): Promise<void> {
    return this.#bucket.purge(positionKey(sub, room));
  }

  /** Deletes a position if nobody has touched it since it was listed. */
  sweep(sub: string, position: Position): Promise<void> {
    return this.#bucket.purge(positionKey(sub, position.room), position.revision);
  }

  /** Rooms of a user, and what is left of others. */
  count(sub: string): Promise<number> {
    return bucketCount(this.#stored, BUCKETS.positions, encodeToken(sub));
  }

  /** Rooms of a user, at most `limit`; `complete` is false when there may be more. */
  async list(sub: string, limit: number): Promise<{ positions: Position[]; complete: boolean }> {
    const positions: Position[] = [];
    let pages = 0;
    for await (const page of bucketPages(this.#stored, BUCKETS.positions, encodeToken(sub), MAX_PAGES)) {
      pages += 1;
      for (const { subject, seq } of page) {
        if (positions.length === limit) return { positions, complete: false };
        positions.push({ room: subject.slice(subject.lastIndexOf('.') + 1), revision: seq });
      }
    }
    return { positions, complete: pages < MAX_PAGES };
  }
}

function positionKey(sub: string, room: string): string {
  return `${encodeToken(sub)}.${room}`;
}
