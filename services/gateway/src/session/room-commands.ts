/** What one connection does to rooms: join, leave, type, moderate. */
import { type AiMode, conversationKey, type Principal, type RoomsRequest } from '@natter/proto';
import type { Connection } from './context.ts';
import type { Command } from './dialect.ts';
import { askerOf, type JoinRequest } from './seat.ts';
import type { Seats } from './seats.ts';

type Moderate = Extract<Command, { type: 'moderate' }>;
type Typing = Extract<Command, { type: 'typing' }>;

export class RoomCommands {
  readonly #connection: Connection;
  readonly #seats: Seats;

  constructor(connection: Connection, seats: Seats) {
    this.#connection = connection;
    this.#seats = seats;
  }

  async join(request: JoinRequest, principal: Principal): Promise<void> {
    if (await this.#isOverRate(principal)) return;
    const seat = await this.#seats.join(principal, request);
    if (typeof seat === 'string') this.#connection.refuse(seat);
  }

  /** The user is no member any more, on any of their devices. */
  async leave(id: string, principal: Principal): Promise<void> {
    const { context } = this.#connection;
    if (await this.#isOverRate(principal)) return;
    const seat = this.#seats.byRoom(id);
    const reply = await context.rooms.ask({ op: 'leave', who: askerOf(principal), id });
    // Unanswered, they may be a member still.
    if (!reply.ok && (seat === null || reply.code === 'UNAVAILABLE'))
      return this.#connection.refuse(reply.code);
    if (seat !== null) {
      // The end of the membership was heard first, and told.
      if (this.#seats.byKey(seat.key) !== seat) return;
      this.#seats.leave(seat.key);
    }
    this.#connection.notice({ type: 'left', room: id, why: 'left', atMs: context.now() });
  }

  /** Told to those who watch, and kept by nobody. */
  typing({ room, conversation, isTyping }: Typing, { sub, name }: Principal): void {
    const { context, opening, id: connection } = this.#connection;
    const roomId = room ?? (conversation === null ? opening.room?.id : null);
    const session = conversation ?? opening.session;
    const key =
      roomId != null
        ? this.#seats.byRoom(roomId)?.key
        : session === null
          ? undefined
          : conversationKey(sub, session);
    if (key !== undefined) {
      context.setTyping(key, sub, isTyping);
      if (context.roomsHere.isLarge(key)) return;
      return context.typing.say(key, { type: 'typing', sub, name, isTyping, connection });
    }
    if (roomId != null) this.#connection.refuse('ROOM_DENIED');
  }

  async moderate({ action, room, user }: Moderate, principal: Principal): Promise<void> {
    await this.#ask({ op: action, who: askerOf(principal), id: room, user }, action, user);
  }

  async setAi(room: string, ai: AiMode, principal: Principal): Promise<void> {
    await this.#ask({ op: 'update', who: askerOf(principal), id: room, ai }, 'set_ai', null);
  }

  async #ask(
    request: RoomsRequest,
    action: Moderate['action'] | 'set_ai',
    user: string | null,
  ): Promise<void> {
    const { context } = this.#connection;
    if (await this.#isOverRate(request.who)) return;
    const reply = await context.rooms.ask(request);
    if (!reply.ok) return this.#connection.refuse(reply.code);
    const room = 'id' in request ? request.id : '';
    this.#connection.notice({ type: 'moderated', action, room, user, atMs: context.now() });
  }
  /** Counts a command of the user; true when they were told that it is one too many. */
  async #isOverRate({ sub }: { sub: string }): Promise<boolean> {
    const retryAfter = await this.#connection.context.rates.take('user', sub);
    if (retryAfter > 0) this.#connection.refuse('RATE_LIMIT', { retryAfter });
    return retryAfter > 0;
  }
}
