/** What one connection does to messages that are there: edit, delete, read, cancel. */
import { conversationKey, type ErrorCode, type LogEntry, type Principal, RunId } from '@natter/proto';
import { startTrace, traceparent } from '@natter/runtime';
import { runId } from '../bus/run-id.ts';
import { storeErrorCode } from '../bus/turn-store.ts';
import type { Asking } from './asking.ts';
import type { Connection } from './context.ts';
import type { MessageTarget, Place } from './dialect.ts';
import type { Seat, Seats } from './seats.ts';

/** A message can be changed for this long. */
const CHANGE_MS = 24 * 60 * 60 * 1_000;
/** Newest messages among which the one to be changed is looked for. */
const LOOKED_AT = 1_000;

interface Found {
  key: string;
  place: Place;
  seat: Seat | null;
  run: string;
  /** The client's id of the message, and who wrote it. */
  id: string;
  sub: string;
  atMs: number;
  deleted: boolean;
}

interface Where {
  key: string;
  place: Place;
  seat: Seat | null;
}

type Change = { type: 'edit'; text: string } | { type: 'delete' } | { type: 'read' };

const STATUS = { edit: 'edited', delete: 'deleted', read: 'read' } as const;

export class Changing {
  readonly #connection: Connection;
  readonly #seats: Seats;
  readonly #asking: Asking;

  constructor(connection: Connection, seats: Seats, asking: Asking) {
    this.#connection = connection;
    this.#seats = seats;
    this.#asking = asking;
  }

  /** Edits, deletes or marks as read; resolves when the broker has it, or the client was told why not. */
  async change(target: MessageTarget, change: Change, principal: Principal): Promise<void> {
    const refused = await this.#guard(target, () => this.#change(target, change, principal));
    if (refused !== null) this.#connection.refuse(refused, named(target));
  }

  /** Stops an answer; it ends with its own last frame, which follows for all who see it. */
  async cancel(target: MessageTarget, principal: Principal): Promise<void> {
    const refused = await this.#guard(target, () => this.#cancel(target, principal));
    if (refused !== null) this.#connection.refuse(refused, named(target));
  }

  async #guard(target: MessageTarget, act: () => Promise<ErrorCode | null>): Promise<ErrorCode | null> {
    try {
      return await act();
    } catch (err) {
      const trace = startTrace();
      this.#connection.context.log.error({ err, traceId: trace.traceId }, 'a message could not be changed');
      this.#connection.refuse(storeErrorCode(err), { ...named(target), correlationId: trace.traceId });
      return null;
    }
  }

  async #change(target: MessageTarget, change: Change, principal: Principal): Promise<ErrorCode | null> {
    const { context } = this.#connection;
    if (change.type === 'edit' && change.text.trim() === '') return 'EMPTY_MESSAGE';
    const where = this.#where(target, principal);
    if (where === null) return target.room === null ? 'MESSAGE_NOT_FOUND' : 'ROOM_DENIED';
    const retryAfter = await context.rates.take('user', principal.sub);
    if (retryAfter > 0) {
      this.#connection.refuse('RATE_LIMIT', { ...named(target), retryAfter });
      return null;
    }
    const found = await this.#find(where, target, principal);
    if (found === null || found.deleted) return 'MESSAGE_NOT_FOUND';
    if (change.type !== 'read' && !this.#mayChange(found, principal)) return 'MESSAGE_NOT_FOUND';
    const at = context.now();
    const { key, place, run, id, sub } = found;
    const by = principal.sub;
    const entry: LogEntry =
      change.type === 'edit'
        ? { type: 'message.edited', run, text: change.text, by, at }
        : change.type === 'delete'
          ? { type: 'message.deleted', run, by, at }
          : { type: 'message.read', run, id, sub, by, name: principal.name, at };
    await context.messages.append(key, entry, traceparent(startTrace()));
    // The reader's own receipt comes back to them like everybody else's.
    if (change.type === 'read' && where.seat !== null) return null;
    const status = STATUS[change.type];
    this.#connection.notice({ type: 'confirmed', status, messageId: id, run, place, atMs: at });
    return null;
  }

  async #cancel(target: MessageTarget, principal: Principal): Promise<ErrorCode | null> {
    const { context } = this.#connection;
    const where = this.#where(target, principal);
    if (where === null) return target.room === null ? 'MESSAGE_NOT_FOUND' : 'ROOM_DENIED';
    const asked = await this.#runToCancel(where, target, principal);
    if (asked === null) return 'MESSAGE_NOT_FOUND';
    const { key, place } = where;
    const { run, messageId } = asked;
    const ended = await context.hub.reader.runEnd(key, run);
    if (ended === null) {
      const entry: LogEntry = { type: 'run.cancel_requested', run, by: principal.sub, at: context.now() };
      await context.messages.append(key, entry, traceparent(startTrace()));
    }
    const status = ended === null ? 'cancelling' : 'ended';
    this.#connection.notice({ type: 'cancel', status, messageId, run, place });
    return null;
  }

  /** A run that this user may stop: of their own question, or in a room they moderate. */
  async #runToCancel(
    { key, seat }: Where,
    { messageId, user }: MessageTarget,
    principal: Principal,
  ): Promise<{ run: string; messageId: string } | null> {
    const { context } = this.#connection;
    const moderates = this.#moderates(seat, principal);
    const waiting = await context.turns.waiting(key);
    const mine = waiting.filter(({ sub }) => moderates || sub === principal.sub);
    if (messageId === '') {
      const [first] = mine;
      return first === undefined ? null : { run: first.run, messageId: first.messageId };
    }
    const author = user ?? principal.sub;
    const run = RunId.safeParse(messageId).success ? messageId : runId(author, key, messageId);
    const turn = mine.find((one) => one.run === run);
    if (turn !== undefined) return { run, messageId: turn.messageId };
    // Its agent has acknowledged it: only how it ended is left.
    const end = await context.hub.reader.runEnd(key, run);
    const asker = end?.message.asked;
    if (end === null || (asker?.sub !== principal.sub && !moderates)) return null;
    return { run, messageId: asker?.id ?? messageId };
  }

  #mayChange({ sub, seat, atMs }: Found, principal: Principal): boolean {
    if (this.#connection.context.now() - atMs > CHANGE_MS) return false;
    return sub === principal.sub || this.#moderates(seat, principal);
  }

  #moderates(seat: Seat | null, { roles }: Principal): boolean {
    return seat?.room != null && (seat.room.role === 'owner' || roles.includes('admin'));
  }

  /** The conversation a target is in; null for a room this connection has not joined. */
  #where({ room, conversation }: MessageTarget, { sub }: Principal): Where | null {
    const roomId = room ?? (conversation === null ? this.#connection.opening.room?.id : null);
    if (roomId != null) {
      const seat = this.#seats.byRoom(roomId);
      return seat === null ? null : { key: seat.key, place: seat.place, seat };
    }
    const session = conversation ?? this.#asking.ownSession;
    const key = conversationKey(sub, session);
    return { key, place: { room: null, session }, seat: this.#seats.byKey(key) };
  }

  async #find(where: Where, { messageId, user }: MessageTarget, { sub }: Principal): Promise<Found | null> {
    const { hub } = this.#connection.context;
    const isRun = RunId.safeParse(messageId).success;
    const said = isRun ? null : hub.find(where.key)?.find(messageId, user);
    const own = runId(user ?? sub, where.key, messageId);
    const { messages } = await hub.pages.page(where.key, { limit: LOOKED_AT, before: null });
    const people = messages.filter(({ role }) => role === 'user');
    const found = isRun
      ? people.find(({ run }) => run === messageId)
      : (people.find(({ run }) => run === own) ?? people.find(({ run }) => run === said?.run));
    if (found === undefined) return null;
    const { run, id, sub: author, at, deletedAt } = found;
    return { ...where, run, id, sub: author, atMs: at, deleted: deletedAt !== undefined };
  }
}

/** A cancel need not name a message, and its refusal names none then. */
function named({ messageId }: MessageTarget): { messageId?: string } {
  return messageId === '' ? {} : { messageId };
}
