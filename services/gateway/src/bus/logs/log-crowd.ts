/** All readers of one feed: those that are live, by format; those to come; those that are too slow. */
import type { LogFormat, LogWire, ShownLine } from '../../session/logs/log-wire.ts';
import type { Topics } from '../../session/topics.ts';
import { LogAudience } from './log-audience.ts';
import type { LogReader } from './log-reader.ts';
import { RecentLines } from './recent-lines.ts';
import { type RawLine, shownLine } from './shown-line.ts';
import { type SlowLimits, SlowReaders } from './slow-readers.ts';

export interface LogCrowdDeps extends SlowLimits {
  topics: Topics;
  wire: LogWire;
  count: { sent(readers: number): void };
}

export class LogCrowd {
  /** What was sent lately, for those who are about to join. */
  readonly recent = new RecentLines();
  readonly #feed: string;
  readonly #deps: LogCrowdDeps;
  readonly #audiences = new Map<string, LogAudience>();
  readonly #slow: SlowReaders;
  /** Have read what is still on its way here. */
  readonly #early = new Set<LogReader>();
  #last = 0;
  #flushing: NodeJS.Immediate | null = null;
  /** Characters sent since it was looked who is slow. */
  #unchecked = 0;

  constructor(feed: string, deps: LogCrowdDeps) {
    this.#feed = feed;
    this.#deps = deps;
    this.#slow = new SlowReaders(deps, () => this.recent.count);
  }

  /** The furthest line that was sent. */
  get last(): number {
    return this.#last;
  }

  *[Symbol.iterator](): Generator<LogReader> {
    yield* this.#early;
    yield* this.#slow;
    for (const { live } of this.#audiences.values()) yield* live;
  }

  /** Lets in who has everything up to `from`; what it has read may still be on its way here. */
  add(reader: LogReader, from: number): void {
    reader.from = from;
    if (this.#last >= from) this.#admit(reader);
    else this.#early.add(reader);
  }

  delete(reader: LogReader): void {
    this.#early.delete(reader);
    this.#slow.delete(reader);
    this.#audienceOf(reader).remove(reader);
  }

  /** How far this reader was sent lines. */
  sentTo(reader: LogReader): number {
    return this.#slow.sentTo(reader) ?? Math.max(reader.from, this.#last);
  }

  send(raw: RawLine): void {
    const isLate = raw.seq < this.#last;
    if (!isLate) this.#last = raw.seq;
    const line = this.#isHeard ? shownLine(raw) : null;
    this.recent.add(line, raw.data.byteLength);
    if (line === null) return;
    if (isLate) return this.#sendLate(line);
    for (const reader of this.#early) if (line.seq > reader.from) this.#admit(reader);
    const frames: Partial<Record<LogFormat, string>> = {};
    for (const audience of this.#audiences.values()) {
      if (audience.live.size === 0) continue;
      const { format } = audience;
      frames[format] ??= this.#deps.wire.encodeLine(line, format);
      this.#unchecked += audience.send(frames[format], line.seq);
      this.#deps.count.sent(audience.live.size);
    }
    this.#flushing ??= setImmediate(() => this.#flush());
    if (this.#unchecked > this.#deps.softBufferBytes / 2) this.checkSlow();
  }

  /** Sets slow readers aside, and those that have caught up go on. */
  checkSlow(): void {
    this.#unchecked = 0;
    for (const audience of this.#audiences.values()) {
      audience.flush();
      for (const reader of audience.live)
        if (this.#slow.isSlow(reader)) {
          audience.remove(reader);
          this.#slow.add(reader, this.#last);
        }
    }
    for (const reader of this.#slow.caughtUp()) {
      reader.from = Math.max(reader.from, this.#last);
      this.#admit(reader);
    }
  }

  /** The sequences begin again behind `from`; everybody has what is before it. */
  startOver(from: number): void {
    this.#last = 0;
    for (const reader of this) reader.from = from;
  }

  close(): void {
    if (this.#flushing !== null) clearImmediate(this.#flushing);
  }

  #admit(reader: LogReader): void {
    this.#early.delete(reader);
    this.#audienceOf(reader).add(reader);
  }

  #audienceOf({ outlet: { kind, format } }: LogReader): LogAudience {
    const key = `${kind} ${format}`;
    let audience = this.#audiences.get(key);
    if (audience === undefined) {
      audience = new LogAudience(this.#feed, kind, format, this.#deps.topics, this.#deps.wire);
      this.#audiences.set(key, audience);
    }
    return audience;
  }

  get #isHeard(): boolean {
    if (this.#early.size > 0 || this.recent.wanted) return true;
    for (const { live } of this.#audiences.values()) if (live.size > 0) return true;
    return false;
  }

  /** Was lost between brokers, and comes behind younger ones; who joined later has read it. */
  #sendLate(line: ShownLine): void {
    for (const audience of this.#audiences.values()) {
      audience.flush();
      for (const reader of audience.live) if (line.seq > reader.from) reader.sendLines([line]);
    }
    for (const reader of this.#early) if (line.seq > reader.from) reader.sendLines([line]);
  }

  #flush(): void {
    this.#flushing = null;
    for (const audience of this.#audiences.values()) audience.flush();
  }
}
