/** What is kept of rooms, in three buckets that are opened when first needed. */
import { BUCKETS } from '@natter/proto';
import { type Bus, BusError, type Logger } from '@natter/runtime';
import { MemberStore } from './member-store.ts';
import { PositionStore } from './position-store.ts';
import { RoomStore } from './room-store.ts';
import { Tally } from './tally.ts';

export interface Stores {
  rooms: RoomStore;
  members: MemberStore;
  positions: PositionStore;
  /** Shared and group rooms by owner. */
  owned: Tally;
  /** Rooms that users are in because somebody else added them. */
  added: Tally;
}

/** Agents make the buckets, and auth may start before the first of them. */
export class StoreOpener {
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #now: () => number;
  #opening: Promise<Stores> | null = null;

  constructor(bus: Bus, log: Logger, now = Date.now) {
    this.#bus = bus;
    this.#log = log;
    this.#now = now;
  }

  /** Throws BusError UNAVAILABLE while a bucket doesn't exist; the next call looks again. */
  open(): Promise<Stores> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<Stores> {
    const names = [BUCKETS.rooms, BUCKETS.members, BUCKETS.positions];
    const there = await Promise.all(names.map((name) => this.#bus.hasStream(`KV_${name}`)));
    if (there.includes(false))
      throw new BusError('UNAVAILABLE', 'no agent has made the buckets of rooms yet');
    const { stored } = this.#bus;
    const rooms = await this.#bus.bucket(BUCKETS.rooms);
    const owned = new Tally(rooms, stored, 'owned', this.#now);
    return {
      owned,
      added: new Tally(rooms, stored, 'added', this.#now),
      rooms: new RoomStore(rooms, owned, this.#log, this.#now),
      members: new MemberStore(await this.#bus.bucket(BUCKETS.members), stored, this.#log, this.#now),
      positions: new PositionStore(await this.#bus.bucket(BUCKETS.positions), stored),
    };
  }
}
