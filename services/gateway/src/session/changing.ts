/** What one connection does to messages that are there: edit, delete, read, cancel. */
import { conversationKey, type ErrorCode, type LogEntry, type Principal, RunId } from '@natter/proto';
import { startTrace, traceparent } from '@natter/runtime';
import { runId } from '../bus/run-id.ts';
import type { Said } from '../bus/said-messages.ts';
import { storeErrorCode } from '../bus/turn-store.ts';
import type { Asking } from './asking.ts';
import type { Connection } from './context.ts';
import type { MessageTarget, Place } from './dialect.ts';
import type { Seat } from './seat.ts';
import type { Seats } from './seats.ts';

/** A message can be changed for this long. */
const CHANGE_MS = 24 * 60 * 60 * 1_000;
interface Found {
  key: string;
  place: Place;
  seat: Seat | null;
  run: string;
  /** The client's id of the message, and who wrote it. */
  id: string;
  sub: string;
  /** Whether the AI was asked. */
  asks: boolean;
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
    if (await this.#isOverRate(target, principal)) return null;
    const found = await this.#find(where, target, change, principal);
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
    if (entry.type === 'message.read' && context.roomsHere.isLarge(key)) {
      this.#showReceipt(entry, place);
      return null;
    }
    // Before the deletion: should it fail, the whole may be tried again.
    if (change.type === 'delete' && found.asks && (await context.hub.reader.runEnd(key, run)) === null)
      await this.#requestCancel(key, run, principal);
    await context.messages.append(key, entry, traceparent(startTrace()));
    // The reader's own receipt comes back to them like everybody else's.
    if (change.type === 'read' && where.seat !== null) return null;
    const status = STATUS[change.type];
    this.#connection.notice({ type: 'confirmed', status, messageId: id, run, place, atMs: at });
    return null;
  }

  /** A receipt of each for each would be ten thousand times ten thousand frames: only its reader gets it. */
  #showReceipt(entry: Extract<LogEntry, { type: 'message.read' }>, place: Place): void {
    const { context, dialect } = this.#connection;
    const shown = { ...place, cursor: null, position: null, queued: false, atMs: context.now() };
    this.#connection.send(dialect.encodePlaceEvent(entry, shown));
  }

  /** Counts a request of the user; true when they were told that it is one too many. */
  async #isOverRate(target: MessageTarget, { sub }: Principal): Promise<boolean> {
    const retryAfter = await this.#connection.context.rates.take('user', sub);
    if (retryAfter > 0) this.#connection.refuse('RATE_LIMIT', { ...named(target), retryAfter });
    return retryAfter > 0;
  }

  async #requestCancel(key: string, run: string, { sub: by }: Principal): Promise<void> {
    const { messages, now } = this.#connection.context;
    const entry: LogEntry = { type: 'run.cancel_requested', run, by, at: now() };
    await messages.append(key, entry, traceparent(startTrace()));
  }

  async #cancel(target: MessageTarget, principal: Principal): Promise<ErrorCode | null> {
    const { context } = this.#connection;
    const where = this.#where(target, principal);
    if (where === null) return target.room === null ? 'MESSAGE_NOT_FOUND' : 'ROOM_DENIED';
    if (await this.#isOverRate(target, principal)) return null;
    const asked = await this.#runToCancel(where, target, principal);
    if (asked === null) return 'MESSAGE_NOT_FOUND';
    const { key, place } = where;
    const { run, messageId } = asked;
    const ended = await context.hub.reader.runEnd(key, run);
    if (ended === null) await this.#requestCancel(key, run, principal);
    const status = ended === null ? 'cancelling' : 'ended';
    this.#connection.notice({ type: 'cancel', status, messageId, run, place });
    return null;
  }

  /** A run that this user may stop: of their own question, or in a room they moderate. */
  async #runToCancel(
    { key, seat }: Where,
    target: MessageTarget,
    principal: Principal,
  ): Promise<{ run: string; messageId: string } | null> {
    const { context } = this.#connection;
    const moderates = this.#moderates(seat, principal);
    const waiting = await context.turns.waiting(key);
    const mine = waiting.filter(({ sub }) => moderates || sub === principal.sub);
    if (target.messageId === '') {
      const [first] = mine;
      return first === undefined ? null : { run: first.run, messageId: first.messageId };
    }
    const runs = runsOf(key, target, principal);
    for (const run of runs) {
      const turn = mine.find((one) => one.run === run);
      if (turn !== undefined) return { run, messageId: turn.messageId };
    }
    // Its agent has acknowledged it: only how it ended is left.
    for (const run of runs) {
      const end = await context.hub.reader.runEnd(key, run);
      const asker = end?.message.asked;
      if (end !== null && (asker?.sub === principal.sub || moderates))
        return { run, messageId: asker?.id ?? target.messageId };
    }
    return null;
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

  async #find(
    where: Where,
    target: MessageTarget,
    change: Change,
    principal: Principal,
  ): Promise<Found | null> {
    const { hub } = this.#connection.context;
    const feed = hub.find(where.key);
    const runs = runsOf(where.key, target, principal);
    for (const run of runs) {
      const said = feed?.said.get(run) ?? null;
      if (said !== null) return foundOf(where, said);
    }
    const byName = () => feed?.said.find(target.messageId, target.user) ?? null;
    // A receipt as a rule names somebody else's message, and one of the latest.
    const read = change.type === 'read' ? byName() : null;
    if (read !== null) return foundOf(where, read);
    const messages = (await hub.pages.recent(where.key)).filter(({ role }) => role === 'user');
    for (const run of runs) {
      const message = messages.find((one) => one.run === run);
      if (message === undefined) continue;
      const { asks = true, deletedAt } = message;
      return foundOf(where, { ...message, asks, deleted: deletedAt !== undefined });
    }
    const said = byName();
    return said === null ? null : foundOf(where, said);
  }
}

/**
 * What a target may mean: the author's message of this id, else the bus-wide id that it looks like.
 *
 * In this order, as a client's own ids may look like bus-wide ones: lower-case ULIDs do.
 */
function runsOf(key: string, { messageId, user }: MessageTarget, { sub }: Principal): string[] {
  const own = runId(user ?? sub, key, messageId);
  return RunId.safeParse(messageId).success ? [own, messageId] : [own];
}

function foundOf({ key, place, seat }: Where, said: Omit<Said, 'name'>): Found {
  const { run, id, sub, asks, at, deleted } = said;
  return { key, place, seat, run, id, sub, asks, atMs: at, deleted };
}

/** A cancel need not name a message, and its refusal names none then. */
function named({ messageId }: MessageTarget): { messageId?: string } {
  return messageId === '' ? {} : { messageId };
}
