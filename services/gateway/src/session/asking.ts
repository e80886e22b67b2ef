/** Questions and messages of one connection, on their way to the broker. */
import { randomUUID } from 'node:crypto';
import {
  conversationKey,
  type ErrorCode,
  LIMITS,
  type MessagePosted,
  type Principal,
  type Turn,
} from '@natter/proto';
import { startTrace, type Trace, traceparent } from '@natter/runtime';
import { runId } from '../bus/run-id.ts';
import { storeErrorCode } from '../bus/turn-store.ts';
import type { Connection } from './context.ts';
import type { Ask, Place } from './dialect.ts';
import { mentionsAi } from './mentions.ts';
import type { Seat } from './seat.ts';
import type { Seats } from './seats.ts';
import { TurnStream } from './turn-stream.ts';

/** Where something is said: watched, or a conversation of the user's own that isn't. */
interface Target {
  key: string;
  place: Place;
  seat: Seat | null;
}

/** Of the many connections that wait for nothing; never written to. */
const NO_STREAMS: Map<string, TurnStream> = new Map();

export class Asking {
  readonly #connection: Connection;
  readonly #seats: Seats;
  /** Answers this connection waits for in conversations it doesn't watch, by run. */
  #streams = NO_STREAMS;
  #ownSession: string | null = null;
  /** The id that this gateway gave to the message under way: it was never sent before. */
  #madeId: string | null = null;

  constructor(connection: Connection, seats: Seats) {
    this.#connection = connection;
    this.#seats = seats;
  }

  /** The conversation of messages that name none. */
  get ownSession(): string {
    this.#ownSession ??= this.#connection.opening.session ?? randomUUID();
    return this.#ownSession;
  }

  /** Runs of an unwatched conversation whose answers are on their way. */
  runsOf(conversation: string): string[] {
    return [...this.#streams].flatMap(([run, { key }]) => (key === conversation ? [run] : []));
  }

  /** Another user's conversation must not go on under the old name. */
  forgetOwnSession(): void {
    this.#ownSession = null;
  }

  drained(): void {
    for (const stream of this.#streams.values()) stream.catchUp();
  }

  end(): void {
    for (const stream of this.#streams.values()) stream.abandon();
    this.#streams.clear();
  }

  /** Says something; resolves when the broker has it, or the client was told why not. */
  async ask(question: Ask, principal: Principal): Promise<void> {
    const messageId = question.messageId ?? this.#newId();
    const refuse = (code: ErrorCode, retryAfter?: number, correlationId?: string) =>
      this.#connection.refuse(code, {
        messageId,
        ...(retryAfter === undefined ? {} : { retryAfter }),
        ...(correlationId === undefined ? {} : { correlationId }),
      });
    if (question.text.trim() === '') return refuse('EMPTY_MESSAGE');
    if (question.text.length > LIMITS.messageChars) return refuse('MESSAGE_TOO_LONG');
    const trace = startTrace();
    try {
      // Sent twice on one connection: the answer is on its way already.
      if (this.#isUnderWay(question, principal, messageId)) return;
      const retryAfter = await this.#overRate(principal);
      if (retryAfter > 0) return refuse('RATE_LIMIT', retryAfter);
      const target = await this.#target(question, principal);
      if (typeof target === 'string') return refuse(target);
      if (this.#connection.closed) return;
      const refused = await this.#say(question, principal, messageId, target, trace);
      if (refused !== null) refuse(refused);
    } catch (err) {
      const { log, metrics } = this.#connection.context;
      metrics.turns.inc({ outcome: 'refused' });
      log.error({ err, traceId: trace.traceId }, 'a message could not be stored');
      refuse(storeErrorCode(err), undefined, trace.traceId);
    }
  }

  #newId(): string {
    const id = randomUUID();
    // One message is under way at a time (session.ts).
    this.#madeId = id;
    return id;
  }

  #isUnderWay(question: Ask, { sub }: Principal, messageId: string): boolean {
    if (question.room || this.#connection.opening.room !== null) return false;
    const key = conversationKey(sub, question.session ?? this.ownSession);
    return this.#streams.has(runId(sub, key, messageId));
  }

  /** Seconds to wait, 0 for none: of the session, then of the user here, then of the user everywhere. */
  async #overRate({ sub }: Principal): Promise<number> {
    const { context, dialect, opening } = this.#connection;
    if (dialect.manner.sessionRate) {
      const ofSession = await context.rates.take('session', conversationKey(sub, opening.session ?? ''));
      if (ofSession > 0) return ofSession;
    }
    const here = context.questions.take(sub);
    if (here > 0) return here;
    return context.rates.take('user', sub);
  }

  async #target(question: Ask, principal: Principal): Promise<Target | ErrorCode> {
    const { opening, dialect } = this.#connection;
    const roomId = question.room || (question.session === null ? opening.room?.id : null);
    if (roomId) {
      // Who was thrown out does not come back by talking on.
      if (this.#seats.wasRemovedFrom(roomId)) return 'ROOM_DENIED';
      const seat =
        this.#seats.byRoom(roomId) ??
        (await this.#seats.join(principal, { id: roomId, type: null, name: null, ai: null }));
      return typeof seat === 'string' ? seat : { key: seat.key, place: seat.place, seat };
    }
    const session = question.session ?? this.ownSession;
    const key = conversationKey(principal.sub, session);
    const place = { room: null, session };
    if (!dialect.manner.watches && !opening.watch && !opening.cursors) {
      return { key, place, seat: this.#seats.byKey(key) };
    }
    const seat = await this.#seats.watchOwn(principal, session);
    return typeof seat === 'string' ? seat : { key, place: seat.place, seat };
  }

  async #say(
    question: Ask,
    principal: Principal,
    messageId: string,
    target: Target,
    trace: Trace,
  ): Promise<ErrorCode | null> {
    const { context, options } = this.#connection;
    const { key } = target;
    const run = runId(principal.sub, key, messageId);
    const asks = this.#asks(target, question.text);
    const { sub, name } = principal;
    const at = context.now();
    const posted: MessagePosted = {
      type: 'message.posted',
      run,
      id: messageId,
      sub,
      name,
      text: question.text,
      asks,
      at,
    };
    if (!asks) return this.#post(posted, target, trace);
    const turn: Turn = {
      run,
      conversation: key,
      sub,
      ...(name === null ? {} : { name }),
      messageId,
      text: question.text,
      customerId: question.customerId,
      askedAt: at,
      options: { ...options, ...question.options },
    };
    return this.#askAi(turn, posted, target, trace);
  }

  #asks({ key, seat }: Target, text: string): boolean {
    const room = seat?.room == null ? null : this.#connection.context.roomsHere.find(key);
    if (room === null || room.ai === 'always') return true;
    return room.ai === 'mention' && mentionsAi(text);
  }

  /** A message from person to person. */
  async #post(posted: MessagePosted, { key, place, seat }: Target, trace: Trace): Promise<null> {
    const { context, dialect } = this.#connection;
    // The broker forgets ids after a while; what was said, edited or deleted since is not said anew.
    const isRepeat = context.hub.find(key)?.said.get(posted.run) != null;
    if (isRepeat) {
      this.#confirm(posted, place);
      return null;
    }
    if (seat !== null && !dialect.manner.echo) context.hub.find(key)?.mute(posted.run, seat.watching.watch);
    try {
      const { duplicate } = await context.messages.append(key, posted, traceparent(trace));
      // It came back the first time.
      if (duplicate) context.hub.find(key)?.unmute(posted.run);
    } catch (error) {
      context.hub.find(key)?.unmute(posted.run);
      throw error;
    }
    this.#confirm(posted, place);
    return null;
  }

  async #askAi(turn: Turn, posted: MessagePosted, target: Target, trace: Trace): Promise<ErrorCode | null> {
    const { context, dialect } = this.#connection;
    const { key, place, seat } = target;
    const stream = seat === null ? this.#follow(turn, place) : null;
    if (stream === 'TOO_MANY_TURNS') return stream;
    if (seat !== null && !dialect.manner.echo) context.hub.find(key)?.mute(turn.run, seat.watching.watch);
    const undo = () => {
      stream?.abandon();
      this.#streams.delete(turn.run);
      context.hub.find(key)?.unmute(turn.run);
    };
    try {
      // The broker may have forgotten its id; what was answered is not asked again.
      const stored = (await this.#isAnswered(turn)) ? { duplicate: true } : await this.#store(turn, trace);
      if (stored === false) {
        undo();
        context.metrics.turns.inc({ outcome: 'refused' });
        return 'BUSY';
      }
      context.metrics.turns.inc({ outcome: stored.duplicate ? 'repeated' : 'stored' });
      this.#confirm(posted, place);
      if (stored.duplicate) context.hub.find(key)?.unmute(turn.run);
      if (stored.duplicate) await this.#repeat(turn, place, stream);
      else if (seat !== null) this.#tellOthers(turn, posted, trace);
    } catch (error) {
      undo();
      throw error;
    }
    return null;
  }

  async #store(turn: Turn, trace: Trace): Promise<{ duplicate: boolean } | false> {
    const { context, onBusy } = this.#connection;
    if (onBusy === 'reject') return context.turns.storeIfIdle(turn, traceparent(trace));
    const stored = await context.turns.store(turn, traceparent(trace));
    if (onBusy === 'interrupt' && !stored.duplicate) await this.#interrupt(turn);
    return stored;
  }

  /** Only a client that names its messages can send one again. */
  async #isAnswered({ conversation, run, messageId }: Turn): Promise<boolean> {
    if (this.#madeId === messageId) return false;
    return (await this.#connection.context.hub.reader.runEnd(conversation, run)) !== null;
  }

  /** Stops what this user asked before in the conversation and is not answered yet. */
  async #interrupt({ conversation, sub, run }: Turn): Promise<void> {
    const { context } = this.#connection;
    for (const waiting of await context.turns.waiting(conversation)) {
      // Those behind it were asked later, on another connection.
      if (waiting.run === run) return;
      if (waiting.sub !== sub) continue;
      const entry = { type: 'run.cancel_requested', run: waiting.run, by: sub, at: context.now() } as const;
      await context.messages.append(conversation, entry);
    }
  }

  /** Those who watch see the question at once; the agent makes sure of it when it begins. */
  #tellOthers(turn: Turn, posted: MessagePosted, trace: Trace): void {
    const { context, dialect, id } = this.#connection;
    const { conversation, run, sub } = turn;
    // They watch from the question on, so it has to be there.
    const tell = (where: { seq?: number }) => {
      if (!dialect.manner.offlineQueue) return;
      context.users.tell(sub, { type: 'run.begun', conversation, run, connection: id, ...where });
    };
    context.messages.append(conversation, posted, traceparent(trace)).then(
      ({ seq }) => tell({ seq }),
      (err: unknown) => {
        context.log.warn({ err, run }, 'a question is shown when its agent begins');
        tell({});
      },
    );
  }

  /** Asked before: this connection gets the answer from its beginning, if it isn't getting it. */
  async #repeat(turn: Turn, place: Place, stream: TurnStream | null): Promise<void> {
    if (stream !== null) return stream.repair();
    const { hub } = this.#connection.context;
    // Before its end it comes to this connection like to all who watch.
    if ((await hub.reader.runEnd(turn.conversation, turn.run)) === null) return;
    if (hub.find(turn.conversation)?.openRuns.some(({ run }) => run === turn.run)) return;
    const again = this.#follow(turn, place);
    if (again instanceof TurnStream) again.repair();
  }

  #follow(turn: Turn, place: Place): TurnStream | 'TOO_MANY_TURNS' {
    const { context, dialect, socket } = this.#connection;
    const known = this.#streams.get(turn.run);
    if (known !== undefined) return known;
    if (this.#streams.size >= context.limits.maxTurnsPerConnection) return 'TOO_MANY_TURNS';
    const stream = new TurnStream({
      key: turn.conversation,
      dialect,
      place,
      socket,
      send: (frames) => this.#connection.send(frames),
      softBufferBytes: context.limits.softBufferBytes,
      ended: () => this.#streams.delete(turn.run),
    });
    if (this.#streams === NO_STREAMS) this.#streams = new Map();
    this.#streams.set(turn.run, stream);
    stream.begin(context.hub.follow(turn.conversation, turn.run, stream));
    return stream;
  }

  #confirm({ id: messageId, run }: MessagePosted, place: Place): void {
    const atMs = this.#connection.context.now();
    this.#connection.notice({ type: 'confirmed', status: 'delivered', messageId, run, place, atMs });
  }
}
