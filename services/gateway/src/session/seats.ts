/** The rooms and conversations one connection watches. */
import {
  conversationKey,
  conversationName,
  type ErrorCode,
  type Principal,
  type Room,
  type RoomView,
} from '@natter/proto';
import { type Cursor, encodeCursor, type Position } from '../bus/cursor.ts';
import type { Connection } from './context.ts';
import type { Frames, Place } from './dialect.ts';
import { HeldSeat } from './held-seat.ts';
import type { Removal } from './rooms-here.ts';
import {
  askerOf,
  type JoinRequest,
  placeOf,
  type Seat,
  type SitRequest,
  type ToldRooms,
  withWholeAnswers,
} from './seat.ts';

/** Conversations one connection may watch; of its own ones the least used goes first. */
const SEATS_LIMIT = 64;
/** How often it is stored how far a member has come, and how much longer for each in the room. */
const SAVE_EVERY_MS = 5_000;
const SAVE_MS_PER_MEMBER = 20;
/** Participants named to somebody who joins; GET of the room tells them all. */
const PARTICIPANTS_LIMIT = 256;

/** Of the many connections that are nowhere; never written to. */
const NO_SEATS: readonly HeldSeat[] = [];
const NO_ROOMS: Set<string> = new Set();

export class Seats {
  readonly #connection: Connection;
  /** A few, in the order of their use; a new list whenever one comes or goes. */
  #seats = NO_SEATS;
  /** Ids of the rooms whose messages are refused: thrown out of, and not joined anew. */
  #removedFrom = NO_ROOMS;
  #ended = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get rooms(): string[] {
    return this.#seats.flatMap(({ room }) => (room === null ? [] : [room.id]));
  }

  wasRemovedFrom(room: string): boolean {
    return this.#removedFrom.has(room);
  }

  byKey(key: string): Seat | null {
    return this.#find(key) ?? null;
  }

  byRoom(id: string): Seat | null {
    for (const seat of this.#seats) if (seat.room?.id === id) return seat;
    return null;
  }

  /** Joins a room, says so, and sends what was said while the user was away. */
  async join(principal: Principal, { id, type, name, ai }: JoinRequest): Promise<Seat | ErrorCode> {
    const { context } = this.#connection;
    const own = conversationKey(principal.sub, id);
    const ownUntil = this.#find(own)?.watching.position() ?? null;
    // Before the auth service makes them a member: refused after it, they would be one all the same.
    if (this.byRoom(id) === null && !this.#makeSpace(true)) return 'TOO_MANY_ROOMS';
    const who = askerOf(principal);
    const moment = context.roomsHere.moment();
    const reply = await context.rooms.ask({ op: 'join', who, id, type, name, ai });
    if (!reply.ok) return reply.code;
    const view = reply.rooms[0];
    if (view === undefined) return 'INTERNAL';
    const known = this.#find(view.room.key);
    this.#removedFrom.delete(id);
    this.#leaveNamesake(view.room);
    if (known !== undefined && known.room !== null) {
      this.#joined(view);
      return known;
    }
    // A conversation of their own becomes the private room of that name, and goes on where it is.
    let since = known?.watching.position() ?? (view.room.key === own ? ownUntil : null);
    if (since === null && this.#connection.dialect.manner.offlineQueue)
      since = withWholeAnswers(await context.positions.read(principal.sub, view.room.key));
    const request = { key: view.room.key, place: placeOf(view.room), view, moment, since, queued: true };
    const seat = await this.#sit(principal, { ...request, begin: () => this.#joined(view) });
    // What waited may have come: at once, so that it doesn't come to another device of theirs as well.
    if (since !== null && typeof seat !== 'string') await this.#savePosition(seat);
    return seat;
  }

  /** Watches a conversation of the user's own: what comes, or all from this sequence in MESSAGES on. */
  async watchOwn(principal: Principal, session: string, from?: number): Promise<Seat | ErrorCode> {
    const key = conversationKey(principal.sub, session);
    const known = this.#find(key);
    if (known !== undefined) {
      // The one used last goes last.
      this.#drop(known);
      this.#add(known);
      return known;
    }
    return this.#sit(principal, {
      key,
      place: { room: null, session },
      since: from === undefined ? null : { log: from - 1, end: from - 1, run: '', at: 0, marks: 0 },
      queued: false,
      begin: () => undefined,
    });
  }

  /**
   * Goes on where a cursor ends, if the user may; else CURSOR_UNKNOWN, whatever the reason.
   *
   * `told`: what the auth service has said of the rooms of all cursors; null: it is asked.
   */
  async resume(
    principal: Principal,
    cursor: Cursor,
    told: ToldRooms | null = null,
  ): Promise<Seat | ErrorCode> {
    const { context } = this.#connection;
    const name = conversationName(cursor.conversation);
    if (name === null) return 'CURSOR_UNKNOWN';
    const resumed = (place: Place) => (recovered: boolean) =>
      this.#connection.notice({ type: 'resumed', place, recovered, atMs: context.now() });
    if ('owner' in name) {
      if (name.owner !== principal.sub) return 'CURSOR_UNKNOWN';
      this.leave(cursor.conversation);
      const place = { room: null, session: name.name };
      const request = { key: cursor.conversation, place, since: cursor, queued: false };
      return this.#sit(principal, { ...request, begin: resumed(place) });
    }
    const { moment, rooms } = told ?? (await this.#askRoom(principal, cursor.conversation));
    if (rooms === null) return 'UNAVAILABLE';
    const view = rooms.find(({ room }) => room.key === cursor.conversation);
    if (view === undefined) return 'CURSOR_UNKNOWN';
    this.leave(cursor.conversation);
    this.#leaveNamesake(view.room);
    const place = placeOf(view.room);
    const request = { key: cursor.conversation, place, view, moment, since: cursor, queued: false };
    return this.#sit(principal, { ...request, begin: resumed(place) });
  }

  /**
   * Sends what waits in a room for a member, without joining it; returns how many records at most.
   *
   * It takes up to seconds to read: `stillMay` is asked once more before the first frame.
   */
  async glance(
    principal: Principal,
    view: RoomView,
    since: Position,
    limit: number,
    stillMay: () => Promise<RoomView | null>,
  ): Promise<number> {
    const { context } = this.#connection;
    const { key } = view.room;
    const place = placeOf(view.room);
    const waiting: Frames[] = [];
    let dropped = 0;
    const watching = context.hub.watch(key, {
      connection: this.#connection.id,
      dialect: this.#connection.dialect,
      cursors: this.#connection.opening.cursors,
      place,
      socket: this.#connection.socket,
      ready: async () => undefined,
      since: withWholeAnswers(since),
      queued: true,
      // Its end would not come: nobody stays to watch.
      underWay: false,
      missedLimit: limit,
      begin: () => undefined,
      transcript: (messages, end) => {
        const cursor = this.#connection.opening.cursors ? encodeCursor(key, end) : null;
        this.#connection.notice({ type: 'transcript', place, messages, cursor });
      },
      send: (frames) => void waiting.push(frames),
      cut: (left) => {
        dropped = left;
      },
      failed: () => this.#connection.close('slowReader'),
    });
    let position: Position | null = null;
    try {
      await watching.admitted;
    } finally {
      position = watching.position();
      // At once: what is said from here on belongs to those who have joined.
      watching.stop();
    }
    if (position === null || (await stillMay()) === null) return 0;
    if (dropped > 0) this.#connection.notice({ type: 'queue_cut', place, dropped });
    for (const frames of waiting) this.#connection.send(frames);
    await context.positions.write(principal.sub, key, position);
    return waiting.length;
  }

  /** Stops watching; the user stays a member. */
  leave(key: string): void {
    const seat = this.#find(key);
    if (seat === undefined) return;
    void this.#savePosition(seat);
    this.#drop(seat);
    seat.leave();
  }

  /** Another user is signed in: nothing of the one before holds for them. */
  forget(): void {
    this.leaveAll();
    this.#removedFrom.clear();
  }

  leaveAll(): void {
    for (const { key } of this.#seats) this.leave(key);
  }

  /** The connection is gone: what is on its way to a seat ends. */
  end(): void {
    this.#ended = true;
    this.leaveAll();
  }

  /** The socket has room again. */
  drained(): void {
    for (const { watching } of this.#seats) watching.drained();
  }

  /**
   * Stores how far the user has come, so that only what follows waits for them.
   *
   * Less often in rooms of many: ten thousand members would be two thousand writes a second.
   */
  savePositions(nowMs: number): void {
    const { roomsHere } = this.#connection.context;
    for (const seat of this.#seats) {
      // Called every second for each connection: the count of the room is looked up only then.
      if (nowMs - seat.savedAtMs < SAVE_EVERY_MS) continue;
      const everyMs = Math.max(SAVE_EVERY_MS, roomsHere.countIn(seat.key) * SAVE_MS_PER_MEMBER);
      if (nowMs - seat.savedAtMs < everyMs) continue;
      seat.savedAtMs = nowMs;
      void this.#savePosition(seat);
    }
  }

  /** Of a seat: its room is not the user's any more. */
  removed(key: string, why: Removal): void {
    const seat = this.#find(key);
    if (seat?.room == null) return;
    // Who left by themselves may talk on; that is joining.
    if (why !== 'left' && this.#removedFrom.size < SEATS_LIMIT) {
      if (this.#removedFrom === NO_ROOMS) this.#removedFrom = new Set();
      this.#removedFrom.add(seat.room.id);
    }
    this.leave(key);
    const atMs = this.#connection.context.now();
    this.#connection.notice({ type: 'left', room: seat.room.id, why, atMs });
  }

  #find(key: string): HeldSeat | undefined {
    for (const seat of this.#seats) if (seat.key === key) return seat;
    return undefined;
  }

  #add(seat: HeldSeat): void {
    // A spread would make space for 17.
    this.#seats = this.#seats.concat([seat]);
  }

  #drop(gone: HeldSeat): void {
    this.#seats = this.#seats.length === 1 ? NO_SEATS : this.#seats.filter((seat) => seat !== gone);
  }

  /** `rooms` is null when nobody can tell. */
  async #askRoom(principal: Principal, key: string) {
    const { rooms, roomsHere } = this.#connection.context;
    const moment = roomsHere.moment();
    const reply = await rooms.ask({ op: 'access', who: askerOf(principal), keys: [key] });
    if (reply.ok) return { moment, rooms: reply.rooms };
    return { moment, rooms: reply.code === 'UNAVAILABLE' ? null : [] };
  }

  /** Watches; resolves when the connection is up to date, or with the reason why it can't be. */
  async #sit(principal: Principal, request: SitRequest): Promise<HeldSeat | ErrorCode> {
    const { key, view } = request;
    // Another device's question may have led here while the auth service was asked.
    this.leave(key);
    if (!this.#makeSpace(view !== undefined)) return 'TOO_MANY_ROOMS';
    const seat = new HeldSeat(this.#connection, this, principal, request);
    this.#add(seat);
    try {
      await seat.arrived();
    } catch (err) {
      this.#connection.context.log.warn({ err }, 'a conversation could not be watched');
      if (this.#find(key) === seat) this.leave(key);
      return 'UNAVAILABLE';
    }
    return this.#find(key) === seat ? seat : 'ROOM_DENIED';
  }

  /** False when there is none; conversations of the user's own give way, the least used first. */
  #makeSpace(forRoom: boolean): boolean {
    if (this.#seats.length < SEATS_LIMIT) return !this.#ended;
    const own = this.#seats.find(({ room }) => room === null);
    if (own === undefined || (forRoom && own.place.session === this.#connection.opening.session))
      return false;
    this.leave(own.key);
    return !this.#ended;
  }

  /** An id names one room on a connection, the last one joined: frames of two would look alike. */
  #leaveNamesake({ id, key }: Room): void {
    const other = this.byRoom(id);
    if (other !== null && other.key !== key) this.leave(other.key);
  }

  #joined({ room, role }: RoomView): void {
    const { context } = this.#connection;
    const atMs = context.now();
    const participants = context.presence.who(room.key).slice(0, PARTICIPANTS_LIMIT);
    this.#connection.notice({ type: 'joined', room, role, participants, atMs });
  }

  /** Never rejects; does nothing where it is stored already. */
  async #savePosition(seat: HeldSeat): Promise<void> {
    const { context, dialect, principal } = this.#connection;
    if (seat.room === null || principal === null || !dialect.manner.offlineQueue) return;
    const position = seat.watching.position();
    if (position == null || isSame(position, seat.saved)) return;
    seat.saved = position;
    await context.positions.write(principal.sub, seat.key, position).catch((err: unknown) => {
      seat.saved = null;
      // Told again from the older position, marked as queued.
      context.log.warn({ err }, 'how far a member has come could not be stored');
    });
  }
}

function isSame(one: Position, other: Position | null): boolean {
  if (other === null || one.log !== other.log || one.end !== other.end) return false;
  return one.run === other.run && one.at === other.at && one.marks === other.marks;
}
