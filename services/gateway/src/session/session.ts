/** One connection: who it acts for, what it asks for, and in which order that is done. */
import { randomBytes } from 'node:crypto';
import {
  CLOSES,
  type CloseReason,
  conversationName,
  type ErrorCode,
  LIMITS,
  type Principal,
  type TokenUse,
  type TurnOptions,
  type UserEvent,
  type VerifyReply,
} from '@natter/proto';
import { storeErrorCode } from '../bus/turn-store.ts';
import { anonymous } from './anonymous.ts';
import { Arrival } from './arrival.ts';
import { Asking } from './asking.ts';
import { Changing } from './changing.ts';
import { newConnectionId } from './connection-id.ts';
import type { Connection, Refusal, SessionContext } from './context.ts';
import type { Command, Decoded, Dialect, Frames, Notice, OnBusy, Opening, UploadCommand } from './dialect.ts';
import { FrameRates, mayCarryPart } from './frame-rates.ts';
import { leanPrincipal } from './lean-principal.ts';
import { RoomCommands } from './room-commands.ts';
import type { ToldRooms } from './seat.ts';
import { Seats } from './seats.ts';
import type { Socket } from './socket.ts';
import { Uploading } from './uploading.ts';

/** Commands that may wait for those before them. */
const WAITING_LIMIT = 64;
/** Options for all questions may come as the first frame, this long after the confirmation. */
const CONFIGURE_MS = 2_000;
/** Who is signed in is looked at so often, and when a deadline comes or a ping came. */
const LOOK_EVERY_MS = 15_000;
/** Where positions are kept for those who come back. */
const SAVE_EVERY_MS = 5_000;
/** Pongs that come faster than this are no answers to our pings, and count. */
const FREE_PONG_SECONDS = 4;

type Queued = Command | { type: 'open' };

export class Session implements Connection {
  readonly id = newConnectionId();
  readonly context: SessionContext;
  readonly dialect: Dialect;
  readonly opening: Opening;
  readonly socket: Socket;
  readonly openedAtMs: number;
  principal: Principal | null = null;
  dueAtMs = 0;
  closed = false;
  onBusy: OnBusy;
  options: TurnOptions;
  readonly #seats: Seats;
  /** Null until it asks something, as most connections never do. */
  #asking: Asking | null = null;
  readonly #arrival: Arrival;
  /** Null while none waits. */
  #waiting: Queued[] | null = null;
  #working = false;
  /** Commands among them, and the one under way, after which the connection is somewhere else. */
  #entering = 0;
  /** Whether nobody could tell about the last token. */
  #undecided = false;
  #hasSpoken = false;
  /** What can't be used of the upgrade request, until it was told. */
  #problem: ErrorCode | null;
  /** When its first frame came; it may have waited for the verdict about a token. */
  #spokeAtMs: number | null = null;
  #confirmedAtMs = 0;
  #rates: FrameRates | null = null;
  #uploading: Uploading | null = null;
  /** Whether it hears what the user's other connections do. */
  #listens = false;
  #heartbeatAtMs: number;
  #pongSecond = 0;

  constructor(context: SessionContext, dialect: Dialect, socket: Socket, opening: Opening) {
    this.context = context;
    this.dialect = dialect;
    this.socket = socket;
    this.opening = opening;
    this.options = opening.options;
    this.#problem = opening.problem;
    this.onBusy = opening.onBusy;
    this.openedAtMs = context.now();
    this.#heartbeatAtMs = this.openedAtMs;
    this.#seats = new Seats(this);
    this.#arrival = new Arrival(this, this.#seats);
  }

  /** Messages that wait in rooms of the user for this connection. */
  get backlog(): number {
    return this.#arrival.backlog;
  }

  /** Ids of the rooms it watches. */
  get rooms(): string[] {
    return this.#seats.rooms;
  }

  /** Starts with the token of the upgrade request, if it had one. */
  open(): void {
    if (this.#problem !== null && this.dialect.manner.anonymous) {
      this.refuse(this.#problem);
      return this.close('invalidSession');
    }
    this.#enqueue({ type: 'open' });
  }

  /** Takes one frame; `bytes` may be reused by the caller afterwards. */
  receive(bytes: Uint8Array, isBinary: boolean): void {
    if (this.closed) return;
    const isLarge = this.dialect.manner.uploads && mayCarryPart(bytes.byteLength, isBinary);
    // Of strangers no part is kept, and reading one costs as much as twenty other frames.
    const isCounted = !isLarge || this.principal === null;
    if (isCounted ? !this.#withinRate() : !this.#withinLargeRate()) return;
    this.#spokeAtMs ??= this.context.now();
    const decoded = this.dialect.decode(bytes, isBinary);
    if (isLarge && !this.#mayBeLarge(decoded, bytes.byteLength, isCounted)) return;
    if (!decoded.ok) {
      const { ok: _, code, ...detail } = decoded;
      this.refuse(code, detail);
    } else if (decoded.command.type === 'upload') this.#upload(decoded.command);
    else this.#enqueue(decoded.command);
  }

  /** It counts like any other frame, for answering it costs as much. */
  receivePing(): void {
    if (!this.closed) this.#withinRate();
    // Its answer waits without passing through `send`.
    this.dueAtMs = 0;
  }

  /** Of thousands of idle connections each answers a ping twice a minute: these cost nothing more. */
  receivePong(): void {
    const second = Math.trunc(this.context.now() / 1_000);
    if (second - this.#pongSecond < FREE_PONG_SECONDS && !this.closed) this.#withinRate();
    this.#pongSecond = second;
  }

  /** The socket has room again. */
  drained(): void {
    this.#asking?.drained();
    this.#seats.drained();
  }

  /** Something that was published to the connection did not fit into its buffer. */
  dropped(): void {
    this.close('slowReader');
  }

  /** Another device of the user has asked something in a conversation of theirs. */
  hear({ conversation, connection, seq }: UserEvent): void {
    const { principal } = this;
    const name = conversationName(conversation);
    if (connection === this.id || principal === null || name === null || 'room' in name) return;
    if (name.owner !== principal.sub) return;
    this.#seats.watchOwn(principal, name.name, seq).catch((err: unknown) => {
      this.context.log.warn({ err }, 'a conversation of another device could not be watched');
    });
  }

  /** Looks at the deadlines; called about once a second, once it is due. */
  tick(nowMs: number): void {
    const { limits } = this.context;
    // Answers to pings and what is published wait without passing through `send`.
    if (this.socket.buffered() > limits.hardBufferBytes) return this.close('slowReader');
    if (this.principal === null) {
      const late = nowMs - this.openedAtMs >= limits.authDeadlineMs;
      if (late && !this.#working) this.close('authTimeout');
      return;
    }
    const expiresAtMs = this.principal.expiresAt * 1_000;
    if (nowMs >= expiresAtMs) return this.close('tokenExpired');
    const { heartbeat, offlineQueue } = this.dialect.manner;
    const heartbeatMs = heartbeat ? limits.heartbeatSeconds * 1_000 : Number.POSITIVE_INFINITY;
    if (nowMs - this.#heartbeatAtMs >= heartbeatMs) {
      this.#heartbeatAtMs = nowMs;
      this.notice({ type: 'heartbeat', atMs: nowMs });
    }
    if (offlineQueue) this.#seats.savePositions(nowMs);
    const lookMs = offlineQueue ? SAVE_EVERY_MS : LOOK_EVERY_MS;
    this.dueAtMs = Math.min(nowMs + lookMs, expiresAtMs, this.#heartbeatAtMs + heartbeatMs);
  }

  close(reason: CloseReason): void {
    if (this.closed) return;
    const { code, reason: text } = this.dialect.closes[reason] ?? CLOSES[reason];
    this.context.metrics.closes.inc({ reason });
    this.#log('a connection is closed', { reason });
    this.#leaveEverything();
    this.closed = true;
    this.socket.close(code, text);
  }

  /** The connection is gone; its runs go on without it. */
  ended(): void {
    if (this.closed) return;
    this.#log('a connection has ended');
    this.#leaveEverything();
    this.closed = true;
  }

  send(frames: Frames): void {
    if (this.closed || frames === null) return;
    let sent = true;
    if (typeof frames === 'string') sent = this.socket.send(frames);
    else for (const frame of frames) sent = this.socket.send(frame) && sent;
    // After a drop the stream has a hole: only a new connection can mend it.
    if (!sent || this.socket.buffered() > this.context.limits.hardBufferBytes) this.close('slowReader');
  }

  notice(notice: Notice): void {
    this.send(this.dialect.encodeNotice(notice));
  }

  refuse(code: ErrorCode, detail: Refusal = {}): void {
    const correlationId = detail.correlationId ?? newCorrelationId();
    this.context.metrics.errors.inc({ code });
    this.context.log.debug({ code, correlationId }, 'a frame was refused');
    this.send(this.dialect.encodeError(code, { ...detail, correlationId }));
  }

  #log(text: string, more: object = {}): void {
    const { id: connection, dialect, principal } = this;
    this.context.log.debug({ connection, dialect: dialect.name, sub: principal?.sub, ...more }, text);
  }

  /** Made when they are needed: most connections never ask, change a message or enter a room. */
  #asks(): Asking {
    this.#asking ??= new Asking(this, this.#seats);
    return this.#asking;
  }

  #changing(): Changing {
    return new Changing(this, this.#seats, this.#asks());
  }

  #roomCommands(): RoomCommands {
    return new RoomCommands(this, this.#seats);
  }

  #leaveEverything(): void {
    this.#waiting = null;
    this.#asking?.end();
    this.#seats.end();
    if (this.principal !== null) {
      this.#unlisten(this.principal.sub);
      this.context.releaseUser(this.principal.sub);
    }
    this.principal = null;
  }

  #withinRate(): boolean {
    return this.#within((rates, nowMs) => rates.take(nowMs));
  }

  #withinLargeRate(): boolean {
    return this.#within((rates, nowMs) => rates.takeLarge(nowMs));
  }

  #within(take: (rates: FrameRates, nowMs: number) => number): boolean {
    this.#rates ??= new FrameRates(this.context.limits);
    const retryAfter = take(this.#rates, this.context.now());
    if (retryAfter === 0) return true;
    if (this.#rates.isHopeless) this.close('tooManyErrors');
    else this.refuse('RATE_LIMIT', { retryAfter });
    return false;
  }

  /** A large frame that carries no part of an upload is one like all others, and counts like them. */
  #mayBeLarge(decoded: Decoded, bytes: number, isCounted: boolean): boolean {
    const isPart = decoded.ok && decoded.command.type === 'upload' && decoded.command.step === 'chunk';
    if (isPart) {
      if (!isCounted) this.#rates?.tookPart();
      return true;
    }
    const isBadPart = !decoded.ok && decoded.file !== undefined;
    if (bytes <= this.context.limits.maxFrameBytes || isBadPart) return isCounted || this.#withinRate();
    this.close('frameTooLarge');
    return false;
  }

  /** Beside the others, as soon as it is known who uploads, and where they are. */
  #upload(command: UploadCommand): void {
    const { principal } = this;
    if (command.step === 'chunk') {
      if (principal !== null) return this.#uploads().begin(command, principal);
      const about = { file: command.file, chunk: command.index };
      // Its bytes can't be kept for somebody who may turn out to be nobody.
      if (this.#working) this.refuse('UPLOAD_BUSY', { ...about, retryAfter: 1 });
      else this.refuse(this.#undecided ? 'UNAVAILABLE' : 'AUTH_REQUIRED', about);
    } else if (principal === null || (command.step === 'init' && this.#entering > 0)) this.#enqueue(command);
    else this.#uploads().begin(command, principal);
  }

  #uploads(): Uploading {
    this.#uploading ??= new Uploading(this, this.#seats, this.#asks());
    return this.#uploading;
  }

  /** Commands are done one after the other, so that what follows a token is said by its owner. */
  #enqueue(command: Queued): void {
    this.#waiting ??= [];
    if (this.#waiting.length >= WAITING_LIMIT) return this.refuse('TOO_MANY_TURNS');
    this.#waiting.push(command);
    if (isEntering(command)) this.#entering += 1;
    if (!this.#working) void this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let next = this.#next(); next !== null; next = this.#next()) {
      try {
        await this.#do(next);
      } catch (err) {
        const correlationId = newCorrelationId();
        this.context.log.error({ err, correlationId, command: next.type }, 'a command failed');
        this.refuse(storeErrorCode(err), { correlationId });
      }
      if (isEntering(next)) this.#entering -= 1;
    }
    this.#working = false;
  }

  #next(): Queued | null {
    const next = this.#waiting?.shift() ?? null;
    if (next === null) this.#waiting = null;
    return this.closed ? null : next;
  }

  async #do(command: Queued): Promise<void> {
    const isFirst = !this.#hasSpoken;
    if (command.type === 'open') return this.#open();
    this.#hasSpoken = true;
    if (command.type === 'authenticate') return this.#authenticate(command.token, 'access');
    if (command.type === 'nothing') return;
    if (command.type === 'ping') return this.notice({ type: 'pong', atMs: this.context.now() });
    // Nobody said that the token is bad.
    if (this.principal === null) return this.refuse(this.#undecided ? 'UNAVAILABLE' : 'AUTH_REQUIRED');
    return this.#doFor(command, this.principal, isFirst);
  }

  async #doFor(command: Command, principal: Principal, isFirst: boolean): Promise<void> {
    switch (command.type) {
      case 'ask':
        return this.#asks().ask(command, principal);
      case 'configure':
        if (!isFirst || (this.#spokeAtMs ?? 0) - this.#confirmedAtMs > CONFIGURE_MS)
          return this.#asks().ask(command.otherwise, principal);
        this.options = { ...this.options, ...command.options };
        return;
      case 'join': {
        const { room: id, roomType: type, name, ai } = command;
        return this.#roomCommands().join({ id, type, name, ai }, principal);
      }
      case 'leave':
        return this.#roomCommands().leave(command.room, principal);
      case 'typing':
        return this.#roomCommands().typing(command, principal);
      case 'moderate':
        return this.#roomCommands().moderate(command, principal);
      case 'set_ai':
        return this.#roomCommands().setAi(command.room, command.ai, principal);
      case 'set_on_busy':
        this.onBusy = command.onBusy;
        return;
      case 'edit':
        return this.#changing().change(command.target, { type: 'edit', text: command.text }, principal);
      case 'delete':
      case 'read':
        return this.#changing().change(command.target, { type: command.type }, principal);
      case 'cancel':
        return this.#changing().cancel(command.target, principal);
      case 'resume':
        return this.#arrival.resume(command.cursors, principal);
      case 'upload':
        return this.#uploads().begin(command, principal);
      default:
        return;
    }
  }

  async #open(): Promise<void> {
    const { credential } = this.opening;
    // Neither is a secret kept that nobody needs, nor the memory of it.
    this.opening.credential = null;
    const { manner } = this.dialect;
    if (credential !== null) return this.#authenticate(credential.token, credential.use);
    if (manner.anonymous && this.context.limits.anonymousSessions)
      return this.#accept(anonymous(this.opening.session ?? '', this.context.now()), null);
    if (manner.tokenAtOpen) this.#reject('AUTH_REQUIRED');
  }

  async #authenticate(token: string, use: TokenUse): Promise<void> {
    const moment = this.context.roomsHere.moment();
    const verdict = await this.#verify(token, use);
    if (this.closed) return;
    this.#undecided = !verdict.ok && verdict.reason === 'unavailable';
    if (verdict.ok) {
      const { principal, rooms } = verdict;
      return this.#accept(principal, rooms === undefined ? null : { rooms, moment });
    }
    if (verdict.reason !== 'unavailable')
      return this.#reject(verdict.reason === 'expired' ? 'TOKEN_EXPIRED' : 'INVALID_TOKEN');
    this.refuse('UNAVAILABLE');
    if (this.dialect.manner.tokenAtOpen) this.close('unavailable');
  }

  async #verify(token: string, use: TokenUse): Promise<VerifyReply> {
    if (token === '' || token.length > LIMITS.tokenBytes) return { ok: false, reason: 'invalid' };
    const timer = this.context.metrics.authSeconds.startTimer();
    try {
      return await this.context.auth.verify(token, use, this.#arrival.rooms);
    } catch (err) {
      this.context.log.warn({ err }, 'a token could not be verified');
      return { ok: false, reason: 'unavailable' };
    } finally {
      timer();
    }
  }

  async #accept(principal: Principal, told: ToldRooms | null): Promise<void> {
    const isSame = principal.sub === this.principal?.sub;
    if (!isSame) {
      if (!this.context.admitUser(principal.sub)) {
        this.refuse('TOO_MANY_CONNECTIONS');
        return this.close('tooManyConnections');
      }
      if (this.principal !== null) this.#forget(this.principal);
    }
    this.principal = leanPrincipal(principal);
    this.dueAtMs = 0;
    // A verdict may take longer than a client has time for its first frame.
    this.#confirmedAtMs ||= this.context.now();
    this.#log('a connection is signed in');
    this.notice({ type: 'connected', connection: this.id, principal, atMs: this.context.now() });
    if (isSame || this.closed) return;
    // Behind the greeting, which is the first frame of every wire that has one.
    if (this.#problem !== null) this.refuse(this.#problem);
    this.#problem = null;
    if (this.dialect.manner.offlineQueue) {
      this.#listens = true;
      this.context.users.listen(principal.sub, this);
    }
    await this.#arrival.arrive(principal, told);
  }

  /** Another user's conversations must not go on under the old name. */
  #forget({ sub }: Principal): void {
    this.context.releaseUser(sub);
    this.#seats.forget();
    this.#uploading = null;
    // The answers on their way are the other user's.
    this.#asking?.end();
    this.#asking?.forgetOwnSession();
    this.options = this.opening.options;
    this.onBusy = this.opening.onBusy;
    this.#unlisten(sub);
  }

  #unlisten(sub: string): void {
    if (this.#listens) this.context.users.unlisten(sub, this);
    this.#listens = false;
  }

  #reject(code: 'INVALID_TOKEN' | 'TOKEN_EXPIRED' | 'AUTH_REQUIRED'): void {
    const { refusedToken } = this.dialect.manner;
    this.context.metrics.errors.inc({ code });
    this.send(this.dialect.encodeRefused(code, { correlationId: newCorrelationId() }));
    if (refusedToken !== 'stays') this.close(refusedToken);
  }
}

function isEntering({ type }: Queued): boolean {
  return type === 'open' || type === 'join' || type === 'authenticate';
}

function newCorrelationId(): string {
  return randomBytes(16).toString('hex');
}
