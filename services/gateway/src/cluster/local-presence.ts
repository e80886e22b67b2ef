/** Who of each conversation is on this gateway, told to the others in changes with a number. */
import { LIMITS, type LiveEvent, SUBJECTS } from '@natter/proto';
import type { Bus } from '@natter/runtime';
import { People } from './people.ts';

export interface Person {
  sub: string;
  name: string | null;
}

export type PresenceEvent = Extract<LiveEvent, { type: 'presence' }>;

/** Somebody with `count` connections here. */
interface Here extends Person {
  count: number;
}

interface Room {
  users: People<Here>;
  /** Number of the last change the others were told. */
  n: number;
  /** Users the others know of. */
  told: number;
  /** Not told yet; null while everything was. */
  untold: { came: Map<string, string | null>; went: Set<string> } | null;
  changedAtMs: number;
}

/** Changes of one event; a bigger one is cut into several. */
const CHANGES_LIMIT = 256;
/** A link to the broker may be dead for 9 s before anybody notices: what was told then is told anew. */
const UNSURE_MS = 15_000;
/** An empty room is remembered for longer than that. */
const FORGET_MS = 20_000;
/** Bytes of an answer; a broker takes 1 MiB at least. */
const ANSWER_BYTES = 900_000;

export class LocalPresence {
  readonly #gateway: string;
  readonly #bus: Pick<Bus, 'publish' | 'connected'>;
  readonly #now: () => number;
  /** Bounded by the rooms of all connections here, and those that left within 20 s. */
  readonly #rooms = new Map<string, Room>();
  readonly #changed = new Set<string>();
  /** Highest number of a forgotten room: a new one counts on from it, so that numbers never go back. */
  #highest = 0;
  #scheduled = false;
  #connectedAtMs: number;

  constructor(gateway: string, bus: Pick<Bus, 'publish' | 'connected'>, now: () => number) {
    this.#gateway = gateway;
    this.#bus = bus;
    this.#now = now;
    this.#connectedAtMs = now();
  }

  has(key: string, sub: string): boolean {
    return this.#rooms.get(key)?.users.has(sub) === true;
  }

  /** True when it is the user's first connection here; above 10,000 users nobody is added. */
  enter(key: string, { sub, name }: Person): boolean {
    const room = this.#room(key);
    const user = room.users.get(sub);
    if (user !== undefined) {
      user.count += 1;
      return false;
    }
    if (room.users.size >= LIMITS.membersPerRoom) return false;
    room.users.set({ sub, name, count: 1 });
    const { came, went } = this.#change(key, room);
    if (!went.delete(sub)) came.set(sub, name);
    return true;
  }

  /** The user's name when it was their last connection here, else undefined. */
  exit(key: string, sub: string): string | null | undefined {
    const room = this.#rooms.get(key);
    const user = room?.users.get(sub);
    if (room === undefined || user === undefined) return undefined;
    user.count -= 1;
    if (user.count > 0) return undefined;
    room.users.delete(sub);
    const { came, went } = this.#change(key, room);
    if (!came.delete(sub)) went.add(sub);
    return user.name;
  }

  users(key: string): Person[] {
    const room = this.#rooms.get(key);
    return room === undefined ? [] : Array.from(room.users, ({ sub, name }) => ({ sub, name }));
  }

  /** Who is here, after everything that was told up to change `n`; cut at 900,000 bytes. */
  snapshot(key: string): { n: number; users: Person[] } {
    const room = this.#rooms.get(key);
    // The answer must not be ahead of the changes, which go the same way before it.
    if (room !== undefined) this.#tell(key, room);
    const users: Person[] = [];
    let bytes = 0;
    for (const person of this.users(key)) {
      bytes += Buffer.byteLength(JSON.stringify(person)) + 1;
      if (bytes > ANSWER_BYTES) break;
      users.push(person);
    }
    return { n: room?.n ?? this.#highest, users };
  }

  /** Tells what could not be told before, and forgets empty rooms; call it every second. */
  tick(): void {
    if (!this.#bus.connected) return;
    this.#connectedAtMs = this.#now();
    this.#flush();
    const before = this.#connectedAtMs - FORGET_MS;
    for (const [key, room] of this.#rooms) {
      if (room.users.size > 0 || room.changedAtMs > before) continue;
      this.#highest = Math.max(this.#highest, room.n);
      this.#rooms.delete(key);
    }
  }

  /** What was told last may be lost: a number is left out, so that the others ask. */
  reconnected(): void {
    const since = this.#connectedAtMs - UNSURE_MS;
    for (const [key, room] of this.#rooms) {
      if (room.changedAtMs < since) continue;
      room.n += 1;
      this.#tell(key, room, true);
    }
  }

  #room(key: string): Room {
    let room = this.#rooms.get(key);
    if (room === undefined) {
      // One object literal: with a spread its fields would be kept apart from it, which takes more memory.
      room = { users: new People(), told: 0, untold: null, n: this.#highest, changedAtMs: this.#now() };
      this.#rooms.set(key, room);
    }
    return room;
  }

  /** All changes of one turn of the event loop are told at once. */
  #change(key: string, room: Room): NonNullable<Room['untold']> {
    room.changedAtMs = this.#now();
    this.#changed.add(key);
    this.#schedule();
    room.untold ??= { came: new Map(), went: new Set() };
    return room.untold;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    for (const key of this.#changed) {
      const room = this.#rooms.get(key);
      if (room !== undefined) this.#tell(key, room);
    }
  }

  #tell(key: string, room: Room, even = false): void {
    // Published without a connection it would be lost.
    if (!this.#bus.connected) return;
    this.#changed.delete(key);
    const came = Array.from(room.untold?.came ?? [], ([sub, name]) => ({ sub, name }));
    const went = [...(room.untold?.went ?? [])];
    const parts = Math.ceil(Math.max(came.length, went.length, even ? 1 : 0) / CHANGES_LIMIT);
    for (let part = 0; part < parts; part += 1) {
      const from = part * CHANGES_LIMIT;
      room.n += 1;
      const event: PresenceEvent = {
        type: 'presence',
        gateway: this.#gateway,
        n: room.n,
        ...(room.told === 0 && part === 0 && !even ? { first: true } : {}),
        came: came.slice(from, from + CHANGES_LIMIT),
        went: went.slice(from, from + CHANGES_LIMIT),
      };
      this.#bus.publish(SUBJECTS.liveOut(key), JSON.stringify(event));
    }
    room.untold = null;
    room.told = room.users.size;
  }
}
