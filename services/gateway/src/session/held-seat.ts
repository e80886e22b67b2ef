/** A place of one connection in one conversation: what the feed and the room ask of it. */
import type { Principal, Room, RoomView, TranscriptMessage } from '@natter/proto';
import { BusError } from '@natter/runtime';
import type { Watching } from '../bus/conversation-hub.ts';
import { encodeCursor, type Position } from '../bus/cursor.ts';
import type { WatchOptions } from '../bus/watch.ts';
import type { Connection } from './context.ts';
import type { Dialect, Frames, Place } from './dialect.ts';
import type { Removal, Seated } from './rooms-here.ts';
import type { Seat, SitRequest } from './seat.ts';

/** Records a reconnecting client may have missed of one conversation; above it gets the transcript. */
const RESUME_LIMIT = 1_000;
/** Messages kept for a member who is away, of each room. */
export const QUEUE_LIMIT = 100;

/** Who holds it. */
export interface SeatHolder {
  /** The room is not the user's any more. */
  removed(key: string, why: Removal): void;
}

/** What is needed until the connection is up to date, and kept no longer. */
interface Arriving {
  name: string | null;
  view: RoomView | null;
  moment: number;
  begin: (recovered: boolean) => void;
}

/** One object with methods: as closures, what a seat can do took 1.5 KB of each connection in a room. */
export class HeldSeat implements Seat, Seated, WatchOptions {
  readonly key: string;
  readonly place: Place;
  readonly room: Seat['room'];
  readonly sub: string;
  readonly queued: boolean;
  readonly watching: Watching;
  /** When it was looked at last how far the user has come, and what was stored of it. */
  savedAtMs: number;
  saved: Position | null = null;
  readonly since: Position | null;
  readonly #connection: Connection;
  readonly #holder: SeatHolder;
  #arriving: Arriving | null;

  /** Begins to watch. */
  constructor(connection: Connection, holder: SeatHolder, principal: Principal, request: SitRequest) {
    const { key, place, view = null, moment = -1, since, queued, begin } = request;
    this.key = key;
    this.place = place;
    this.room = view === null ? null : { id: view.room.id, role: view.role };
    this.sub = principal.sub;
    this.queued = queued;
    this.since = since;
    this.savedAtMs = connection.context.now();
    this.#connection = connection;
    this.#holder = holder;
    this.#arriving = { name: principal.name, view, moment, begin };
    this.watching = connection.context.hub.watch(key, this);
  }

  get connection(): string {
    return this.#connection.id;
  }

  get dialect(): Dialect {
    return this.#connection.dialect;
  }

  get cursors(): boolean {
    return this.#connection.opening.cursors;
  }

  get socket(): WatchOptions['socket'] {
    return this.#connection.socket;
  }

  get missedLimit(): number {
    return this.queued ? QUEUE_LIMIT : RESUME_LIMIT;
  }

  /** Resolves when the connection is up to date; rejects with BusError when that can't be had. */
  async arrived(): Promise<void> {
    await this.watching.admitted;
    this.#arriving = null;
  }

  /** Stops watching; the user stays a member. */
  leave(): void {
    this.watching.stop();
    if (this.room === null) return;
    const { presence, roomsHere } = this.#connection.context;
    presence.exit(this.key, this.sub);
    roomsHere.exit(this.key, this);
  }

  send(frames: Frames): void {
    this.#connection.send(frames);
  }

  async ready(): Promise<void> {
    const { view, name, moment } = this.#arriving as Arriving;
    if (view === null) return;
    const { presence, roomsHere } = this.#connection.context;
    presence.enter(this.key, this.sub, name);
    await roomsHere.enter(view.room, this);
    await this.#confirm(view.room, moment);
  }

  begin(recovered: boolean): void {
    this.#arriving?.begin(recovered);
  }

  transcript(messages: TranscriptMessage[], position: Position): void {
    const cursor = this.cursors ? encodeCursor(this.key, position) : null;
    this.#connection.notice({ type: 'transcript', place: this.place, messages, cursor });
  }

  cut(dropped: number): void {
    this.#connection.notice({ type: 'queue_cut', place: this.place, dropped });
  }

  failed(): void {
    this.#connection.close('slowReader');
  }

  removed(why: Removal): void {
    this.#holder.removed(this.key, why);
  }

  /** Who was thrown out between the answer of the auth service and now would not be told. */
  async #confirm(room: Room, moment: number): Promise<void> {
    if (room.type === 'private') return;
    const { roomsHere, rooms } = this.#connection.context;
    const mayStay = roomsHere.mayStay(room.key, this.sub, moment);
    if (mayStay === true) return;
    if (mayStay === false) return this.removed('removed');
    const who = { sub: this.sub, name: null, admin: false };
    const reply = await rooms.ask({ op: 'access', who, keys: [room.key] });
    if (!reply.ok) throw new BusError('UNAVAILABLE', `the auth service answered ${reply.code}`);
    if (reply.rooms.length === 0) this.removed('removed');
  }
}
