/** The rooms that connections of this gateway are in, and who has to leave them. */

import type { LiveEvent } from '@natter/proto';
import { Member, Room } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import type { RoomListener } from '../bus/feed-deps.ts';
import { Few } from '../bus/few.ts';
import { Gate } from '../bus/gate.ts';
import { Recent } from '../bus/recent.ts';
import type { RoomsClient } from '../bus/rooms-client.ts';
import type { Presence, PresenceChange, PresenceListener } from '../cluster/presence.ts';

/** `left`: on another device of theirs. */
export type Removal = 'left' | 'removed' | 'banned' | 'deleted';

/** One connection in one room. */
export interface Seated {
  readonly sub: string;
  /** The room is not theirs any more: they stop watching at once. */
  removed(why: Removal): void;
}

interface RoomHere {
  /** Since when changes of its members are heard here. */
  heardFrom: number;
  room: Room;
  seated: Few<Seated>;
}

export interface RoomsHereDeps {
  presence: Pick<Presence, 'watch' | 'unwatch' | 'receive'>;
  rooms: Pick<RoomsClient, 'ask'>;
  /** Tells those who watch the room here who came or went. */
  announce(conversation: string, change: PresenceChange): void;
  log: Logger;
}

/**
 * Connections of this gateway in a room above which nobody is told who comes and goes, types or has
 * read: each would be told of each.
 */
const ANNOUNCE_LIMIT = 200;
/** Members thrown out who are remembered, while those let in meanwhile are on their way to a seat. */
const REMOVALS_LIMIT = 10_000;
/** Rooms whose members are checked at once after the broker was away. */
const CHECKS_AT_ONCE = 8;
/** Keys of one question to the auth service (proto, RoomsRequest). */
const KEYS_AT_ONCE = 256;

const decoder = new TextDecoder();

export class RoomsHere implements RoomListener {
  readonly #deps: RoomsHereDeps;
  /** By conversation. */
  readonly #rooms = new Map<string, RoomHere>();
  readonly #checks = new Gate(CHECKS_AT_ONCE);
  /** When who was thrown out of which room, in the time that `moment` tells. */
  readonly #removals = new Recent<number>(REMOVALS_LIMIT);
  /** One for all rooms: one each took 100 bytes of it. */
  readonly #listener: PresenceListener = (change, conversation) => {
    if (!this.isLarge(conversation)) this.#deps.announce(conversation, change);
  };
  #moment = 0;

  constructor(deps: RoomsHereDeps) {
    this.#deps = deps;
  }

  /** Conversations of the rooms that somebody here is in. */
  keys(): IterableIterator<string> {
    return this.#rooms.keys();
  }

  /** The record as it is now, or null when nobody here is in it. */
  find(conversation: string): Room | null {
    return this.#rooms.get(conversation)?.room ?? null;
  }

  /** A point in the order in which this gateway hears of changes. */
  moment(): number {
    return this.#moment;
  }

  /**
   * Whether somebody who was let into a room after `moment` may still be there.
   *
   * Null when that was not heard here: the auth service must be asked once more.
   */
  mayStay(conversation: string, sub: string, moment: number): boolean | null {
    const here = this.#rooms.get(conversation);
    if (here === undefined || here.heardFrom > moment) return null;
    return (this.#removals.get(`${conversation}|${sub}`) ?? -1) <= moment;
  }

  /** Connections of this gateway in a room. */
  countIn(conversation: string): number {
    return this.#rooms.get(conversation)?.seated.size ?? 0;
  }

  /** Whether what each does there is too much to tell everybody. */
  isLarge(conversation: string): boolean {
    return this.countIn(conversation) > ANNOUNCE_LIMIT;
  }

  /** Resolves when it is known who is in the room. Call it once the conversation is subscribed to. */
  async enter(room: Room, seated: Seated): Promise<void> {
    let here = this.#rooms.get(room.key);
    if (here === undefined) {
      this.#moment += 1;
      here = { room, heardFrom: this.#moment, seated: new Few() };
      this.#rooms.set(room.key, here);
    }
    here.seated.add(seated);
    await this.#deps.presence.watch(room.key, this.#listener);
  }

  exit(conversation: string, seated: Seated): void {
    const here = this.#rooms.get(conversation);
    if (here === undefined || !here.seated.delete(seated) || here.seated.size > 0) return;
    this.#rooms.delete(conversation);
    this.#deps.presence.unwatch(conversation, this.#listener);
  }

  room(conversation: string, data: Uint8Array): void {
    const here = this.#rooms.get(conversation);
    if (here === undefined) return;
    if (data.length === 0) return this.#removeAll(here, () => 'deleted');
    here.room = Room.parse(JSON.parse(decoder.decode(data)));
  }

  member(conversation: string, data: Uint8Array): void {
    const here = this.#rooms.get(conversation);
    // An empty one says that the record was cleared away with its room.
    if (here === undefined || data.length === 0) return;
    const { sub, state } = Member.parse(JSON.parse(decoder.decode(data)));
    if (state === 'member' || state === 'invited') return;
    this.#moment += 1;
    this.#removals.set(`${conversation}|${sub}`, this.#moment);
    this.#removeAll(here, (seated) => (seated.sub === sub ? state : null));
  }

  presence(conversation: string, event: Extract<LiveEvent, { type: 'presence' }>): void {
    this.#deps.presence.receive(conversation, event);
  }

  /** Asks anew who may be where: while the broker was away nothing was heard of it. */
  async recheck(): Promise<boolean> {
    const users = new Map<string, Set<RoomHere>>();
    this.#moment += 1;
    for (const here of this.#rooms.values()) here.heardFrom = this.#moment;
    for (const here of this.#rooms.values()) {
      for (const { sub } of here.seated) users.set(sub, (users.get(sub) ?? new Set()).add(here));
    }
    let known = true;
    const check = async (sub: string, rooms: Iterable<RoomHere>) => {
      if (!(await this.#recheckUser(sub, [...rooms]))) known = false;
    };
    await Promise.all([...users].map(([sub, rooms]) => this.#checks.run(() => check(sub, rooms))));
    return known;
  }

  /** False when nobody could tell. */
  async #recheckUser(sub: string, rooms: RoomHere[]): Promise<boolean> {
    try {
      for (let at = 0; at < rooms.length; at += KEYS_AT_ONCE) {
        const asked = rooms.slice(at, at + KEYS_AT_ONCE);
        const keys = asked.map(({ room }) => room.key);
        const who = { sub, name: null, admin: false };
        const reply = await this.#deps.rooms.ask({ op: 'access', who, keys });
        if (!reply.ok) throw new Error(`the auth service answered ${reply.code}`);
        const allowed = new Map(reply.rooms.map(({ room }) => [room.key, room]));
        for (const here of asked) {
          const room = allowed.get(here.room.key);
          if (room !== undefined) here.room = room;
          else this.#removeAll(here, (seated) => (seated.sub === sub ? 'removed' : null));
        }
      }
    } catch (err) {
      // Nothing is sent to anybody meanwhile, so it may take its time.
      this.#deps.log.warn({ err }, 'members could not be checked after a reconnect; trying again');
      return false;
    }
    return true;
  }

  #removeAll(here: RoomHere, why: (seated: Seated) => Removal | null): void {
    for (const seated of [...here.seated]) {
      const reason = why(seated);
      if (reason === null) continue;
      try {
        seated.removed(reason);
      } catch (err) {
        this.#deps.log.error({ err }, 'a connection could not be taken out of a room');
      }
    }
  }
}
