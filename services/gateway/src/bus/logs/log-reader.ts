/**
 * One reader of a feed: reads LOGS from where it stands until it has caught up, then joins.
 *
 * It reads no faster than its client takes the lines, so a long way back costs little memory.
 */
import type { CloseReason } from '@natter/proto';
import type { Logger, StreamState } from '@natter/runtime';
import type { LogOutlet, LogWire, ShownLine } from '../../session/logs/log-wire.ts';
import type { LogFeed } from './log-feed.ts';
import type { LogStore } from './log-store.ts';
import { type RawLine, shownLine } from './shown-line.ts';

export interface LogReaderDeps {
  store: LogStore;
  wire: LogWire;
  log: Logger;
  now: () => number;
  softBufferBytes: number;
  hardBufferBytes: number;
  /** It has ended, for whatever reason. */
  gone(reader: LogReader): void;
}

/** Where a reader begins. */
export interface LogStart {
  /** What LOGS held when the reader came. */
  state: StreamState;
  life: string;
  /** The last line it has; null: it takes the last `tail` lines, and what comes. */
  after: number | null;
  tail: number;
}

/** A client that takes nothing for this long is closed. */
const STUCK_MS = 60_000;
/** Characters that are sent before it is looked whether the client takes them. */
const SLICE_CHARS = 32 * 1024;

export class LogReader {
  readonly outlet: LogOutlet;
  /** Has everything up to here; set by the feed, when it joins and later. */
  from = 0;
  readonly #feed: LogFeed;
  readonly #deps: LogReaderDeps;
  #joined = false;
  #ended = false;
  #sent = 0;
  #waiting: { done: () => void; sinceMs: number } | null = null;

  constructor(feed: LogFeed, outlet: LogOutlet, deps: LogReaderDeps) {
    this.#feed = feed;
    this.outlet = outlet;
    this.#deps = deps;
  }

  get feed(): LogFeed {
    return this.#feed;
  }

  /** Which LOGS it is sent: another one once that was made anew. */
  get life(): string {
    return this.#feed.life ?? '';
  }

  /** The greatest sequence up to which it was sent all there is. */
  get sentThrough(): number {
    return this.#joined ? this.#feed.sentTo(this) : this.#sent;
  }

  /** Resolves when it has caught up, or has ended; never rejects. */
  async start(start: LogStart): Promise<void> {
    try {
      this.#feed.expect(start.life, start.state.lastSeq);
      let from: number | null = await this.#begin(start);
      while (!this.#ended && from !== null) from = await this.#approach(from);
    } catch (err) {
      this.#deps.log.warn({ err }, 'a reader of logs could not catch up');
      this.end('unavailable');
    }
  }

  sendLines(lines: readonly ShownLine[]): void {
    if (lines.length > 0) this.outlet.send(lines.map((line) => this.#piece(line)));
  }

  sendGap(count: number | null): void {
    this.outlet.send([this.#wrapped(this.#deps.wire.encodeGap(count), null)]);
  }

  /** The client has taken what was sent. */
  drained(): void {
    if (this.#waiting !== null && !this.#isFull) this.#waiting.done();
  }

  tick(nowMs: number): void {
    if (this.outlet.buffered() > this.#deps.hardBufferBytes) return this.end('slowReader');
    this.drained();
    if (this.#waiting !== null && nowMs - this.#waiting.sinceMs > STUCK_MS) this.end('slowReader');
  }

  end(reason: CloseReason): void {
    if (this.#ended) return;
    this.stop();
    this.outlet.end(reason);
  }

  /** The client has gone. */
  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting?.done();
    this.#feed.leave(this);
    this.#deps.gone(this);
  }

  async #begin({ state, after, tail }: LogStart): Promise<number> {
    if (after !== null) {
      // What it says that it has, it may acknowledge at once.
      if (after <= state.lastSeq) this.#sent = after;
      return after;
    }
    if (tail > 0) await this.#send(await this.#deps.store.tail(this.#feed.filters, tail, state));
    this.#sent = state.lastSeq;
    return state.lastSeq;
  }

  /** Reads up to the end of LOGS. Null when the reader has joined there, else where it stands. */
  async #approach(from: number): Promise<number | null> {
    await this.#feed.settled;
    const mark = this.#feed.mark();
    try {
      const state = await this.#deps.store.state();
      let at = this.#ended ? from : this.#within(from, state);
      for await (const page of this.#deps.store.pages(this.#feed.filters, at, state.lastSeq)) {
        await this.#send(page);
        if (this.#ended) return null;
        at = page.at(-1)?.seq ?? at;
      }
      at = state.lastSeq;
      this.#sent = at;
      if (this.#ended) return null;
      this.#joined = this.#feed.join(this, mark, at);
      return this.#joined ? null : at;
    } finally {
      mark.release();
    }
  }

  /** Says what LOGS does not hold any more of what is behind `from`. */
  #within(from: number, { firstSeq, lastSeq }: StreamState): number {
    // LOGS was made anew since: all of it is unseen.
    if (from > lastSeq) {
      this.sendGap(null);
      return firstSeq - 1;
    }
    if (from + 1 >= firstSeq) return from;
    this.sendGap(firstSeq - 1 - from);
    return firstSeq - 1;
  }

  /** Sends lines as fast as the client takes them. */
  async #send(lines: readonly RawLine[]): Promise<void> {
    let pieces: string[] = [];
    let chars = 0;
    for (const raw of lines) {
      const piece = this.#piece(shownLine(raw));
      pieces.push(piece);
      chars += piece.length;
      if (chars < SLICE_CHARS && raw !== lines.at(-1)) continue;
      this.outlet.send(pieces);
      this.#sent = raw.seq;
      [pieces, chars] = [[], 0];
      await this.#room();
      if (this.#ended) return;
    }
  }

  async #room(): Promise<void> {
    while (!this.#ended && this.#isFull) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting = { done: resolve, sinceMs: this.#deps.now() };
      await promise;
      this.#waiting = null;
    }
  }

  get #isFull(): boolean {
    return this.outlet.buffered() > this.#deps.softBufferBytes;
  }

  #piece(line: ShownLine): string {
    return this.#wrapped(this.#deps.wire.encodeLine(line, this.outlet.format), line.seq);
  }

  #wrapped(frame: string, seq: number | null): string {
    return this.outlet.kind === 'events' ? this.#deps.wire.asEvent(frame, seq) : frame;
  }
}
