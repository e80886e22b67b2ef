/** Ships a service's log lines to LOGS: never waited for, bounded, in order, each stored once. */
import { randomBytes } from 'node:crypto';
import { type LogLevel, SUBJECTS } from '@natter/proto';
import type { Bus } from '../bus/bus.ts';
import { isBusError } from '../bus/bus-error.ts';
import { LineQueue, type QueueCaps, type QueuedLine } from './line-queue.ts';
import { shippedLine } from './shipped-line.ts';

/** What the shipper needs of the bus. */
export type LogBus = Pick<Bus, 'connected' | 'append' | 'onReconnect'>;

export interface ShipperLimits extends QueueCaps {
  /** Lines that the broker has not acknowledged yet. */
  inFlight: number;
}

/** A few seconds of a busy service, or minutes of a quiet one without a broker. */
const LIMITS: ShipperLimits = { lines: 10_000, bytes: 4 * 1024 * 1024, inFlight: 128 };

/** How long the broker may take for one line before it is sent again. */
const ACK_TIMEOUT_MS = 2_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;

/** Category of the line that says how many were dropped. */
const OWN_CATEGORY = 'logs';

/**
 * Its own trouble is never logged: such a line would come back to it. `onDropped` counts.
 *
 * When the buffer is full the newest lines are dropped until half of it is free again, so that a
 * burst leaves one hole, and one line that says how big it is, where it is.
 */
export class LogShipper {
  readonly #service: string;
  readonly #limits: ShipperLimits;
  readonly #queue: LineQueue;
  readonly #onDropped: (lines: number) => void;
  /** Before the number of a line: with it, the id by which the broker knows a repeat. */
  readonly #idPrefix = `${randomBytes(9).toString('base64url')}-`;
  #bus: LogBus | null = null;
  #count = 0;
  /** Not yet told by a line of ours. */
  #untold = 0;
  #inFlight = 0;
  /** One, after a failure, until the broker has taken a line: order is kept, and nothing is flooded. */
  #window: number;
  #failed: QueuedLine[] = [];
  #retryMs = FIRST_RETRY_MS;
  #retry: NodeJS.Timeout | null = null;
  /** The broker doesn't let this service publish lines; it may after the next reconnect. */
  #forbidden = false;
  #closed = false;
  #settled: (() => void) | null = null;

  constructor(service: string, onDropped: (lines: number) => void, limits: Partial<ShipperLimits> = {}) {
    this.#service = service;
    this.#onDropped = onDropped;
    this.#limits = { ...LIMITS, ...limits };
    this.#queue = new LineQueue(this.#limits);
    this.#window = this.#limits.inFlight;
  }

  /** Lines that are not stored yet. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Takes a line as pino wrote it. Before `attach` it waits. */
  take(line: string, level: LogLevel): void {
    if (this.#closed) return;
    if (this.#untold > 0 && !this.#tellDropped()) return this.#drop();
    if (!this.#enqueue(line.trimEnd(), level)) return this.#drop();
    this.#pump();
  }

  /** From now on lines go to the broker, those first that waited. */
  attach(bus: LogBus): void {
    this.#bus = bus;
    bus.onReconnect(() => {
      this.#forbidden = false;
      this.#wake();
    });
    this.#pump();
  }

  /** Ends: resolves once all lines are stored, after `timeoutMs`, or at once without a broker. */
  async close(timeoutMs: number): Promise<void> {
    this.#closed = true;
    if (this.#untold > 0) this.#tellDropped();
    this.#wake();
    if (!this.#isHopeful()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    this.#settled = resolve;
    await promise;
    clearTimeout(timer);
  }

  /** Whether lines wait that the broker may take soon. */
  #isHopeful(): boolean {
    return this.#queue.size > 0 && this.#bus?.connected === true && !this.#forbidden;
  }

  #enqueue(line: string, level: LogLevel): boolean {
    const { text, bytes, category } = shippedLine(line);
    const subject = SUBJECTS.log(this.#service, level, category);
    this.#count += 1;
    return this.#queue.push({ subject, text, bytes, number: this.#count });
  }

  #drop(): void {
    this.#untold += 1;
    this.#onDropped(1);
  }

  /** Says how many lines are missing here; false while the buffer is still too full. */
  #tellDropped(): boolean {
    if (!this.#queue.isHalfEmpty) return false;
    const dropped = this.#untold;
    const line = {
      level: 'warn',
      time: new Date().toISOString(),
      service: this.#service,
      category: OWN_CATEGORY,
      dropped,
      msg: dropped === 1 ? '1 log line was dropped' : `${dropped} log lines were dropped`,
    };
    if (!this.#enqueue(JSON.stringify(line), 'warn')) return false;
    this.#untold = 0;
    return true;
  }

  #pump(): void {
    const bus = this.#bus;
    if (bus === null || this.#forbidden || this.#retry !== null) return;
    // After a failure nothing overtakes: what is under way settles first.
    while (bus.connected && this.#failed.length === 0 && this.#inFlight < this.#window) {
      const line = this.#queue.take();
      if (line === undefined) return;
      void this.#send(bus, line);
    }
  }

  async #send(bus: LogBus, line: QueuedLine): Promise<void> {
    this.#inFlight += 1;
    const id = this.#idPrefix + line.number.toString(36);
    try {
      await bus.append(line.subject, line.text, { id, once: true, timeoutMs: ACK_TIMEOUT_MS });
      this.#queue.done(line);
      this.#window = this.#limits.inFlight;
      this.#retryMs = FIRST_RETRY_MS;
    } catch (error) {
      if (isBusError(error, 'UNAVAILABLE')) this.#failed.push(line);
      else this.#refused(line, error);
    }
    this.#inFlight -= 1;
    this.#afterSending();
  }

  /** It would be refused again. Not told by a line, which would be refused as well. */
  #refused(line: QueuedLine, error: unknown): void {
    if (/permissions violation/i.test(String(error))) this.#forbidden = true;
    this.#queue.done(line);
    this.#onDropped(1);
  }

  #afterSending(): void {
    if (this.#untold > 0) this.#tellDropped();
    if (this.#failed.length > 0 && this.#inFlight === 0) this.#tryLater();
    this.#pump();
    if (!this.#isHopeful()) this.#settled?.();
  }

  #tryLater(): void {
    this.#queue.putBack(this.#failed);
    this.#failed = [];
    this.#window = 1;
    this.#retry = setTimeout(() => this.#wake(), this.#retryMs);
    // A service that has ended must not live on for its lines.
    this.#retry.unref();
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  #wake(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    this.#pump();
  }
}
