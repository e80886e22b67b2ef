/**
 * One filter's lines, live, for all of its readers on this gateway.
 *
 * The broker filters: a feed subscribes to the subjects of its filter in what LOGS republishes. Where
 * a line is missing (its subject's last sequence tells) and after every reconnect it reads LOGS, and
 * sends nothing later before. A reader joins behind what it has read itself, see `join`.
 */
import { type LogFilter, logTokens } from '@natter/proto';
import type { Bus, BusMessage, Logger, Subscription } from '@natter/runtime';
import { LogCrowd, type LogCrowdDeps } from './log-crowd.ts';
import type { LogReader } from './log-reader.ts';
import type { LogStore } from './log-store.ts';
import { SeenLines } from './seen-lines.ts';
import type { RawLine } from './shown-line.ts';

export interface LogFeedDeps extends LogCrowdDeps {
  bus: Pick<Bus, 'subscribe' | 'connected'>;
  store: LogStore;
  log: Logger;
  count: { sent(readers: number): void; recovered(): void };
}

/** A place in a feed from which a reader may join it. */
export interface Mark {
  readonly epoch: number;
  readonly at: number;
  release(): void;
}

/** Lines that wait while a gap is closed; further ones are read from LOGS behind it. */
const HELD_LINES = 2_000;
/** How long to wait before LOGS is asked again when it could not be read for 10 s. */
const RETRY_MS = 500;

export class LogFeed {
  readonly key: string;
  /** Of LOGS, and as republished. */
  readonly filters: string[];
  readonly #deps: LogFeedDeps;
  readonly #subscriptions: Subscription[];
  readonly #crowd: LogCrowd;
  readonly #seen = new SeenLines();
  #life: string | null = null;
  /** Counts how often lines may have been lost: what was read before is no ground to join on. */
  #epoch = 0;
  /** From where on LOGS is to be read; null: nothing is missing. */
  #missingFrom: number | null = null;
  #resumes = 0;
  /** The same of single subjects. */
  readonly #missingOf: { subject: string; after: number; through: number }[] = [];
  #suspended: boolean;
  #recovering = false;
  #held: HeldLine[] = [];
  #heldLost = false;
  #settled = Promise.withResolvers<void>();
  #closed = false;

  constructor(key: string, filter: LogFilter, deps: LogFeedDeps) {
    const tokens = logTokens(filter).map((triple) => triple.join('.'));
    this.key = key;
    this.filters = tokens.map((token) => `log.${token}`);
    this.#deps = deps;
    this.#crowd = new LogCrowd(key, deps);
    this.#suspended = !deps.bus.connected;
    this.#settled.resolve();
    this.#subscriptions = tokens.map((token) =>
      deps.bus.subscribe(`logs.out.${token}`, (message) => this.#hear(message)),
    );
  }

  close(): void {
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription.close();
    this.#crowd.close();
    this.#settled.resolve();
  }

  /** The connection to the broker is lost, and with it what comes until LOGS was read. */
  suspend(): void {
    this.#suspended = true;
    this.#epoch += 1;
  }

  /** The broker is back. */
  resume(): void {
    this.#suspended = false;
    this.#epoch += 1;
    this.#missingFrom = this.#position();
    this.#resumes += 1;
    this.#recover();
  }

  /** Which LOGS its sequences are of; null: nobody has read yet. */
  get life(): string | null {
    return this.#life;
  }

  /** Resolves when no line is missing, as far as anybody knows. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Take it before LOGS is asked for its last sequence, and release it in any case. */
  mark(): Mark {
    return { epoch: this.#epoch, ...this.#crowd.recent.mark() };
  }

  /**
   * Somebody is going to read and join: what is lost behind `lastSeq` is missing, what is before it
   * they read. Another `life` later means that LOGS was made anew.
   */
  expect(life: string, lastSeq: number): void {
    this.#life ??= life;
    this.#seen.beginAt(lastSeq);
  }

  /**
   * Lets a reader in who has all lines of the filter up to `through`, the last one of LOGS at a moment
   * behind the mark. False: lines may be missing between; it reads once more.
   */
  join(reader: LogReader, mark: Mark, through: number): boolean {
    if (mark.epoch !== this.#epoch || this.#suspended || this.#recovering) return false;
    const lines = this.#crowd.recent.since(mark.at);
    if (lines === null) return false;
    reader.sendLines(lines.filter(({ seq }) => seq > through));
    this.#crowd.add(reader, through);
    return true;
  }

  leave(reader: LogReader): void {
    this.#crowd.delete(reader);
  }

  /** How far this reader was sent lines. */
  sentTo(reader: LogReader): number {
    return this.#crowd.sentTo(reader);
  }

  /** Sets slow readers aside, and those that have caught up go on. */
  checkSlow(): void {
    this.#crowd.checkSlow();
  }

  #hear(message: BusMessage): void {
    const seq = Number(message.header('Nats-Sequence'));
    if (!(seq > 0) || this.#closed) return;
    const line: HeldLine = {
      seq,
      subject: message.subject.replace(/^logs\.out\./, 'log.'),
      previous: Number(message.header('Nats-Last-Sequence') ?? 0),
      timeMs: Date.parse(message.header('Nats-Time-Stamp') ?? ''),
      data: message.data,
    };
    if (!this.#suspended && !this.#recovering) return this.#take(line);
    if (this.#held.length < HELD_LINES) this.#held.push(line);
    else this.#heldLost = true;
  }

  #take(line: HeldLine): void {
    if (this.#seen.has(line.subject, line.seq)) return;
    const gap = this.#seen.gapBefore(line.subject, line.previous);
    if (gap === null) return this.#send(line);
    this.#deps.count.recovered();
    this.#missingOf.push({ subject: line.subject, after: gap, through: line.previous });
    this.#held.unshift(line);
    this.#recover();
  }

  #send(line: RawLine): void {
    this.#seen.add(line.subject, line.seq);
    this.#crowd.send(line);
  }

  /** Nobody who has joined lacks a line up to here. */
  #position(): number {
    let from = NOBODY;
    for (const reader of this.#crowd) from = Math.min(from, reader.from);
    return Math.max(from, this.#crowd.last);
  }

  #recover(): void {
    if (this.#recovering) return;
    this.#recovering = true;
    this.#settled = Promise.withResolvers<void>();
    void this.#readMissing();
  }

  get #isMissing(): boolean {
    return this.#missingFrom !== null || this.#missingOf.length > 0;
  }

  async #readMissing(): Promise<void> {
    while (this.#isMissing && !this.#closed) {
      try {
        if (this.#missingFrom !== null) await this.#readAll(this.#missingFrom);
        else await this.#readSubject();
        if (this.#heldLost) {
          this.#heldLost = false;
          this.#missingFrom ??= this.#position();
        }
        this.#takeHeld();
      } catch (err) {
        this.#deps.log.warn({ err }, 'lines of a log could not be read; trying again');
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    this.#recovering = false;
    this.#settled.resolve();
  }

  /** What came meanwhile, up to the next gap. */
  #takeHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (let at = 0; at < held.length; at += 1) {
      if (this.#isMissing) {
        // Behind the line that showed the gap.
        for (; at < held.length; at += 1) this.#held.push(held[at] as HeldLine);
        return;
      }
      this.#take(held[at] as HeldLine);
    }
  }

  /** Each subject tells for itself what it lacks. */
  async #readSubject(): Promise<void> {
    const [missing] = this.#missingOf;
    if (missing === undefined) return;
    const { subject, after, through } = missing;
    await this.#readLines([subject], after, through);
    // Also what LOGS has no more.
    this.#seen.cameTo(subject, through);
    if (this.#missingOf[0] === missing) this.#missingOf.shift();
  }

  /** After the broker was away. */
  async #readAll(from: number): Promise<void> {
    const { store } = this.#deps;
    const resumes = this.#resumes;
    const life = await store.life();
    const state = await store.state();
    const isAnew = (this.#life ?? life) !== life;
    const begin = isAnew ? this.#startOver(state.firstSeq - 1) : this.#skipGone(from, state.firstSeq);
    this.#life = life;
    if (resumes === this.#resumes) this.#missingFrom = begin;
    if (begin !== NOBODY) await this.#readLines(this.filters, begin, state.lastSeq);
    // Else the broker was away once more.
    if (resumes === this.#resumes) this.#missingFrom = null;
  }

  async #readLines(filters: readonly string[], after: number, through: number): Promise<void> {
    for await (const page of this.#deps.store.pages(filters, after, through)) {
      if (this.#closed) return;
      for (const line of page) if (!this.#seen.has(line.subject, line.seq)) this.#send(line);
      // Sockets take what they were sent before the next page comes.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** LOGS was made anew, and all of it is unseen. */
  #startOver(from: number): number {
    this.#epoch += 1;
    this.#held = [];
    this.#heldLost = true;
    this.#missingOf.length = 0;
    this.#seen.forget();
    this.#seen.beginAt(from);
    this.#crowd.startOver(from);
    const joined = [...this.#crowd];
    for (const reader of joined) reader.sendGap(null);
    return joined.length === 0 ? NOBODY : from;
  }

  /** Says so when LOGS has dropped lines that were not read yet. */
  #skipGone(from: number, firstSeq: number): number {
    if (from + 1 >= firstSeq) return from;
    for (const reader of this.#crowd) reader.sendGap(firstSeq - 1 - from);
    return firstSeq - 1;
  }
}

/** Where nobody reads, nothing is missing. */
const NOBODY = Number.POSITIVE_INFINITY;

interface HeldLine extends RawLine {
  /** The sequence of the line before in the same subject; 0: none. */
  previous: number;
}
