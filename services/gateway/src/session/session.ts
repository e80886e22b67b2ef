/** One connection: who it acts for, what it may do, and the answers it waits for. */
import { randomBytes, randomUUID } from 'node:crypto';
import {
  CLOSES,
  type CloseReason,
  conversationKey,
  type ErrorCode,
  LIMITS,
  type Principal,
  type Turn,
} from '@natter/proto';
import { type Logger, startTrace, traceparent } from '@natter/runtime';
import type { AuthClient } from '../bus/auth-client.ts';
import type { RunHub } from '../bus/run-hub.ts';
import { runId } from '../bus/run-id.ts';
import { storeErrorCode, type TurnStore } from '../bus/turn-store.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Command, Dialect } from './dialect.ts';
import { RateLimit } from './rate-limit.ts';
import type { Socket } from './socket.ts';
import { TurnStream } from './turn-stream.ts';
import type { UserRates } from './user-rates.ts';

export interface SessionLimits {
  rateLimitRequests: number;
  rateLimitWindowSeconds: number;
  maxTurnsPerConnection: number;
  authDeadlineMs: number;
  softBufferBytes: number;
  hardBufferBytes: number;
}

/** What sessions share. */
export interface SessionContext {
  auth: Pick<AuthClient, 'verify'>;
  hub: Pick<RunHub, 'follow'>;
  turns: Pick<TurnStore, 'store'>;
  /** Questions by user, over all of their connections. */
  questions: Pick<UserRates, 'take'>;
  metrics: GatewayMetrics;
  limits: SessionLimits;
  log: Logger;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Counts a connection of this user; false when they have all they may have. */
  admitUser(sub: string): boolean;
  releaseUser(sub: string): void;
}

type Ask = Extract<Command, { type: 'ask' }>;

/** Questions that may wait for the verdict on the token. */
const WAITING_LIMIT = 8;
/** A client that goes on after this many refusals in a row is not worth its frames. */
const REFUSALS_LIMIT = 200;

export class Session {
  readonly #context: SessionContext;
  readonly #dialect: Dialect;
  readonly #socket: Socket;
  readonly #openedAtMs: number;
  #principal: Principal | null = null;
  /** Counts authentications, so that only the newest one takes effect. */
  #verification = 0;
  #verifying = false;
  #waiting: Ask[] | null = null;
  #rate: RateLimit | null = null;
  #refusals = 0;
  #streams: Map<string, TurnStream> | null = null;
  #ownSession: string | null = null;
  #closed = false;

  constructor(context: SessionContext, dialect: Dialect, socket: Socket) {
    this.#context = context;
    this.#dialect = dialect;
    this.#socket = socket;
    this.#openedAtMs = context.now();
  }

  /** Starts with the token of the upgrade request, if it had one. */
  open(token: string | null): void {
    if (token !== null) void this.#authenticate(token);
  }

  /** Takes one frame; `bytes` may be reused by the caller afterwards. */
  receive(bytes: Uint8Array, isBinary: boolean): void {
    if (this.#closed || !this.#withinRate()) return;
    const decoded = this.#dialect.decode(bytes, isBinary);
    if (!decoded.ok) this.#refuse(decoded.code);
    else if (decoded.command.type === 'authenticate') void this.#authenticate(decoded.command.token);
    else this.#ask(decoded.command);
  }

  /** A control frame came; it counts like any other, for answering it costs as much. */
  receiveControl(): void {
    if (!this.#closed) this.#withinRate();
  }

  /** The socket has room again. */
  drained(): void {
    if (this.#streams === null) return;
    for (const stream of this.#streams.values()) stream.catchUp();
  }

  /** Looks at the deadlines; called about once a second. */
  tick(nowMs: number): void {
    // Answers to pings wait without passing through `#send`.
    if (this.#socket.buffered() > this.#context.limits.hardBufferBytes) return this.close('slowReader');
    if (this.#principal !== null) {
      if (nowMs >= this.#principal.expiresAt * 1_000) this.close('tokenExpired');
    } else if (nowMs - this.#openedAtMs >= this.#context.limits.authDeadlineMs && !this.#verifying) {
      this.close('authTimeout');
    }
  }

  close(reason: CloseReason): void {
    if (this.#closed) return;
    const { code, reason: text } = this.#dialect.closes[reason] ?? CLOSES[reason];
    this.#context.metrics.closes.inc({ reason });
    this.#socket.close(code, text);
    this.ended();
  }

  /** The connection is gone; its runs go on without it. */
  ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const stream of this.#streams?.values() ?? []) stream.abandon();
    this.#streams = null;
    if (this.#principal !== null) this.#context.releaseUser(this.#principal.sub);
    this.#principal = null;
  }

  #withinRate(): boolean {
    const { limits, now } = this.#context;
    this.#rate ??= new RateLimit(limits.rateLimitRequests, limits.rateLimitWindowSeconds);
    const retryAfter = this.#rate.take(now());
    if (retryAfter === 0) {
      this.#refusals = 0;
      return true;
    }
    this.#refusals += 1;
    if (this.#refusals > REFUSALS_LIMIT) this.close('tooManyErrors');
    else this.#refuse('RATE_LIMIT', retryAfter);
    return false;
  }

  async #authenticate(token: string): Promise<void> {
    const mine = ++this.#verification;
    this.#verifying = true;
    const verdict = await this.#verify(token);
    if (this.#closed || mine !== this.#verification) return;
    this.#verifying = false;
    if (verdict.ok) this.#accept(verdict.principal);
    else if (verdict.reason === 'unavailable') this.#refuse('UNAVAILABLE');
    else this.#reject(verdict.reason === 'expired' ? 'TOKEN_EXPIRED' : 'INVALID_TOKEN');
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    const unknown = !verdict.ok && verdict.reason === 'unavailable' && this.#principal === null;
    for (const question of waiting) {
      // Nobody said that the token is bad.
      if (unknown) this.#refuse('UNAVAILABLE');
      else this.#ask(question);
    }
  }

  async #verify(token: string): Promise<Awaited<ReturnType<AuthClient['verify']>>> {
    if (token === '' || token.length > LIMITS.tokenBytes) return { ok: false, reason: 'invalid' };
    const timer = this.#context.metrics.authSeconds.startTimer();
    try {
      return await this.#context.auth.verify(token);
    } catch (err) {
      this.#context.log.warn({ err }, 'a token could not be verified');
      return { ok: false, reason: 'unavailable' };
    } finally {
      timer();
    }
  }

  #accept(principal: Principal): void {
    if (principal.sub !== this.#principal?.sub) {
      if (!this.#context.admitUser(principal.sub)) {
        this.#refuse('TOO_MANY_CONNECTIONS');
        return this.close('tooManyConnections');
      }
      if (this.#principal !== null) this.#context.releaseUser(this.#principal.sub);
      // Another user's conversation must not go on under the old name.
      this.#ownSession = null;
    }
    this.#principal = principal;
    this.#send(this.#dialect.encodeAuthenticated(principal));
  }

  #reject(code: 'INVALID_TOKEN' | 'TOKEN_EXPIRED'): void {
    this.#context.metrics.errors.inc({ code });
    this.#send(this.#dialect.encodeRefused(code, { correlationId: newCorrelationId() }));
  }

  #ask(question: Ask): void {
    if (this.#closed) return;
    // Also when somebody is signed in: what follows a new token is said by its owner.
    if (this.#verifying) return this.#wait(question);
    if (this.#principal === null) return this.#refuse('AUTH_REQUIRED');
    if (question.text.trim() === '') return this.#refuse('EMPTY_MESSAGE');
    if (question.text.length > LIMITS.messageChars) return this.#refuse('MESSAGE_TOO_LONG');
    this.#start(question, this.#principal);
  }

  /** A message right behind the token is kept until the verdict. */
  #wait(question: Ask): void {
    this.#waiting ??= [];
    if (this.#waiting.length >= WAITING_LIMIT) this.#refuse('TOO_MANY_TURNS');
    else this.#waiting.push(question);
  }

  #start(question: Ask, principal: Principal): void {
    this.#ownSession ??= randomUUID();
    const name = question.session ?? this.#ownSession;
    const conversation = conversationKey(principal.sub, name);
    const messageId = question.messageId ?? randomUUID();
    const run = runId(principal.sub, conversation, messageId);
    // Sent twice on one connection: the answer is on its way already.
    if (this.#streams?.has(run)) return;
    if ((this.#streams?.size ?? 0) >= this.#context.limits.maxTurnsPerConnection) {
      return this.#refuse('TOO_MANY_TURNS');
    }
    const retryAfter = this.#context.questions.take(principal.sub);
    if (retryAfter > 0) return this.#refuse('RATE_LIMIT', retryAfter);
    const turn: Turn = {
      run,
      conversation,
      sub: principal.sub,
      messageId,
      text: question.text,
      customerId: question.customerId,
      askedAt: this.#context.now(),
    };
    const stream = this.#follow(turn, name);
    void this.#store(turn, stream);
  }

  #follow(turn: Turn, name: string): TurnStream {
    const { hub, limits } = this.#context;
    const stream = new TurnStream(
      this.#dialect,
      name,
      this.#socket,
      (frame) => this.#send(frame),
      limits,
      () => this.#streams?.delete(turn.run),
    );
    this.#streams ??= new Map();
    this.#streams.set(turn.run, stream);
    stream.begin(hub.follow(turn.conversation, turn.run, stream));
    return stream;
  }

  async #store(turn: Turn, stream: TurnStream): Promise<void> {
    const { turns, log, metrics } = this.#context;
    const trace = startTrace();
    try {
      const { duplicate } = await turns.store(turn, traceparent(trace));
      metrics.turns.inc({ outcome: duplicate ? 'repeated' : 'stored' });
      if (duplicate) stream.repair();
    } catch (err) {
      metrics.turns.inc({ outcome: 'refused' });
      log.error({ err, run: turn.run, traceId: trace.traceId }, 'a question could not be stored');
      stream.abandon();
      this.#streams?.delete(turn.run);
      this.#refuse(storeErrorCode(err), undefined, trace.traceId);
    }
  }

  #refuse(code: ErrorCode, retryAfter?: number, correlationId = newCorrelationId()): void {
    this.#context.metrics.errors.inc({ code });
    this.#context.log.debug({ code, correlationId }, 'a frame was refused');
    this.#send(
      this.#dialect.encodeError(
        code,
        retryAfter === undefined ? { correlationId } : { correlationId, retryAfter },
      ),
    );
  }

  #send(frame: string): void {
    if (this.#closed) return;
    // After a drop the stream has a hole: only a new connection can mend it.
    const sent = this.#socket.send(frame);
    if (!sent || this.#socket.buffered() > this.#context.limits.hardBufferBytes) this.close('slowReader');
  }
}

function newCorrelationId(): string {
  return randomBytes(16).toString('hex');
}
