/** The three buckets of rooms, opened when they are first needed. */
import { BUCKETS } from '@natter/proto';
import { type Bus, BusError, type Logger } from '@natter/runtime';
import { MemberStore } from './member-store.ts';
import { PositionStore } from './position-store.ts';
import { RoomStore } from './room-store.ts';

export interface Stores {
  rooms: RoomStore;
  members: MemberStore;
  positions: PositionStore;
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
    return {
      rooms: new RoomStore(await this.#bus.bucket(BUCKETS.rooms), this.#log),
      members: new MemberStore(await this.#bus.bucket(BUCKETS.members), stored, this.#log, this.#now),
      positions: new PositionStore(await this.#bus.bucket(BUCKETS.positions), stored),
    };
  }
}
