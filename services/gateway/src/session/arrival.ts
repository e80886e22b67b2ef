/** What a connection gets as soon as it is known who it is: what it resumes, joins and missed. */
import { conversationName, type Principal, type RoomView } from '@natter/proto';
import { type Cursor, decodeCursor } from '../bus/cursor.ts';
import { Gate } from '../bus/gate.ts';
import type { Connection } from './context.ts';
import { QUEUE_LIMIT } from './held-seat.ts';
import { askerOf, type ToldRooms } from './seat.ts';
import type { Seats } from './seats.ts';

/** Messages kept for a member who is away, of all their rooms. */
const QUEUE_TOTAL = 500;

/** Rooms asked for with a token, before it is known whose it is and how often they come. */
const WITH_TOKEN = 4;

/** Connections of this process that look for what waits in other rooms, after they have resumed. */
const QUEUED_LATER = new Gate(64);

export class Arrival {
  readonly #connection: Connection;
  readonly #seats: Seats;
  /** Those of the upgrade request; null before they are needed, and when they were used. */
  #cursors: readonly (Cursor | null)[] | null = null;

  /** Rooms in which something waits and has not been sent yet. */
  backlog = 0;

  constructor(connection: Connection, seats: Seats) {
    this.#connection = connection;
    this.#seats = seats;
  }

  /** Keys of the rooms whose cursors came with the upgrade request, to be asked for with the token. */
  get rooms(): string[] {
    if (this.#connection.opening.resume.length > WITH_TOKEN) return [];
    return this.#opened().flatMap((cursor) => {
      const name = cursor === null ? null : conversationName(cursor.conversation);
      return cursor !== null && name !== null && 'room' in name ? [cursor.conversation] : [];
    });
  }

  #opened(): readonly (Cursor | null)[] {
    this.#cursors ??= this.#connection.opening.resume.map(decodeCursor);
    return this.#cursors;
  }

  /** `told`: in which of the rooms they may be, where that is known already. */
  async arrive(principal: Principal, told: ToldRooms | null): Promise<void> {
    const { opening, dialect, context } = this.#connection;
    const asks = opening.resume.length > 0 || opening.room !== null || dialect.manner.offlineQueue;
    const retryAfter = asks ? context.arrivals.take(principal.sub) : 0;
    if (retryAfter > 0) return this.#connection.refuse('RATE_LIMIT', { retryAfter });
    const cursors = this.#opened();
    this.#cursors = null;
    await this.#resumeAll(cursors, principal, told);
    if (this.#connection.closed) return;
    const { room, session } = opening;
    if (room !== null && this.#seats.byRoom(room.id) === null) {
      const seat = await this.#seats.join(principal, { ...room, ai: null });
      if (typeof seat === 'string') this.#connection.refuse(seat);
    } else if (session !== null && (dialect.manner.watches || opening.watch || opening.cursors)) {
      const seat = await this.#seats.watchOwn(principal, session);
      if (typeof seat === 'string') this.#connection.refuse(seat);
    }
    if (!dialect.manner.offlineQueue || this.#connection.closed) return;
    if (opening.resume.length === 0) return this.#sendQueued(principal);
    // Who resumes was here a moment ago, and so were many others: what they ask for goes first.
    QUEUED_LATER.run(() => this.#sendQueued(principal)).catch((err: unknown) => {
      this.#connection.context.log.warn({ err }, 'what waits in other rooms comes with the next connection');
    });
  }

  /** Goes on where the cursors of a frame end; above the user's rate those that are left are not used. */
  async resume(cursors: readonly string[], principal: Principal): Promise<void> {
    for (const cursor of cursors) {
      const retryAfter = await this.#connection.context.rates.take('user', principal.sub);
      if (retryAfter > 0) return this.#connection.refuse('RATE_LIMIT', { retryAfter });
      await this.#resumeAll([decodeCursor(cursor)], principal, null);
    }
  }

  /** One that can't be used is an error, and the others go on. */
  async #resumeAll(
    cursors: readonly (Cursor | null)[],
    principal: Principal,
    told: ToldRooms | null,
  ): Promise<void> {
    for (const cursor of cursors) {
      if (this.#connection.closed) return;
      const seat = cursor === null ? 'CURSOR_UNKNOWN' : await this.#seats.resume(principal, cursor, told);
      if (typeof seat !== 'string') continue;
      this.#connection.refuse(seat);
      // seeds/002, Error Handling: a session that can't be found ends the connection.
      if (this.#connection.dialect.manner.anonymous) this.#connection.close('sessionNotFound');
    }
  }

  /** What was said in the user's rooms while they were away, of rooms that they have not joined now. */
  async #sendQueued(principal: Principal): Promise<void> {
    const { context } = this.#connection;
    const { positions, hub } = context;
    let left = QUEUE_TOTAL;
    const isElsewhere = (key: string) => this.#seats.byKey(key) === null;
    for (const [key, before] of await positions.readAll(principal.sub, isElsewhere)) {
      if (!this.#isThere(principal)) break;
      if (!isElsewhere(key)) continue;
      if ((await hub.reader.lastSeq(key)) <= Math.max(before.log, before.end)) continue;
      const mayGlance = () => this.#mayGlance(principal, key);
      const view = await mayGlance();
      // Devices that come at the same time read their positions together; what waits is for one of them.
      const since = view === null ? null : await positions.read(principal.sub, key);
      if (view === null || since === null) continue;
      this.backlog = 1;
      const limit = Math.max(0, Math.min(left, QUEUE_LIMIT));
      left -= await this.#seats.glance(principal, view, since, limit, mayGlance);
    }
    this.backlog = 0;
  }

  /**
   * The room, if it can be shown to somebody who has not joined it here.
   *
   * Its frames name it by its id alone. Whoever adds somebody to a group must not be able to speak
   * as a room of theirs: so the id must mean this very room to the user, and no other one here.
   */
  async #mayGlance(principal: Principal, key: string): Promise<RoomView | null> {
    const { rooms } = this.#connection.context;
    const reply = await rooms.ask({ op: 'access', who: askerOf(principal), keys: [key], named: true });
    const view = reply.ok ? reply.rooms[0] : undefined;
    if (view === undefined || !this.#isThere(principal)) return null;
    return this.#seats.byRoom(view.room.id) === null && this.#seats.byKey(key) === null ? view : null;
  }

  /** False once the connection is closed, or somebody else is signed in. */
  #isThere({ sub }: Principal): boolean {
    return !this.#connection.closed && this.#connection.principal?.sub === sub;
  }
}
