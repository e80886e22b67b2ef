/** The feeds of logs on this gateway: one for each filter, as long as somebody reads it. */
import type { LogFilter } from '@natter/proto';
import type { Bus, Logger, StreamState } from '@natter/runtime';
import type { LogOutlet, LogWire } from '../../session/logs/log-wire.ts';
import type { Topics } from '../../session/topics.ts';
import { LogFeed, type LogFeedDeps } from './log-feed.ts';
import { LogReader } from './log-reader.ts';
import { LogStore } from './log-store.ts';

export interface LogHubDeps {
  bus: Pick<
    Bus,
    'subscribe' | 'connected' | 'streamState' | 'streamCreated' | 'stored' | 'onDisconnect' | 'onReconnect'
  >;
  topics: Topics;
  wire: LogWire;
  log: Logger;
  now: () => number;
  softBufferBytes: number;
  hardBufferBytes: number;
  maxLogReaders: number;
  count?: LogFeedDeps['count'];
}

/** Different filters at once; a feed has at most five subscriptions and 10,000 subjects in mind. */
const FEEDS_LIMIT = 256;

export class LogHub {
  readonly store: LogStore;
  readonly #deps: LogHubDeps;
  readonly #feeds = new Map<string, { feed: LogFeed; readers: number }>();
  readonly #readers = new Set<LogReader>();

  constructor(deps: LogHubDeps) {
    this.#deps = deps;
    this.store = new LogStore(deps.bus);
    deps.bus.onDisconnect(() => {
      for (const { feed } of this.#feeds.values()) feed.suspend();
    });
    deps.bus.onReconnect(() => {
      this.store.reconnected();
      for (const { feed } of this.#feeds.values()) feed.resume();
    });
  }

  get readers(): number {
    return this.#readers.size;
  }

  get feeds(): number {
    return this.#feeds.size;
  }

  /** Whether there are as many readers as there may be. */
  get isFull(): boolean {
    return this.#readers.size >= this.#deps.maxLogReaders;
  }

  /** What LOGS holds now, and which life of it. */
  async here(): Promise<{ state: StreamState; life: string }> {
    const [state, life] = await Promise.all([this.store.recentState(), this.store.life()]);
    return { state, life };
  }

  /** A reader that has not begun; null when there are as many as there may be. */
  open(filter: LogFilter, outlet: LogOutlet): LogReader | null {
    if (this.isFull) return null;
    const feed = this.#take(filter);
    if (feed === null) return null;
    const reader = new LogReader(feed, outlet, {
      ...this.#deps,
      store: this.store,
      gone: (gone) => this.#gone(gone),
    });
    this.#readers.add(reader);
    return reader;
  }

  /** Call it about ten times a second. */
  checkSlow(): void {
    for (const { feed } of this.#feeds.values()) feed.checkSlow();
  }

  #take(filter: LogFilter): LogFeed | null {
    const key = filterKey(filter);
    let found = this.#feeds.get(key);
    if (found === undefined) {
      if (this.#feeds.size >= FEEDS_LIMIT) return null;
      const count = this.#deps.count ?? { sent: () => {}, recovered: () => {} };
      found = { feed: new LogFeed(key, filter, { ...this.#deps, store: this.store, count }), readers: 0 };
      this.#feeds.set(key, found);
    }
    found.readers += 1;
    return found.feed;
  }

  #gone(reader: LogReader): void {
    this.#readers.delete(reader);
    const { feed } = reader;
    const found = this.#feeds.get(feed.key);
    if (found === undefined) return;
    found.readers -= 1;
    if (found.readers > 0) return;
    this.#feeds.delete(feed.key);
    feed.close();
  }
}

/** The same for filters that mean the same lines. */
export function filterKey({ service, level, category }: LogFilter): string {
  return JSON.stringify([service, level === 'trace' ? null : level, category]);
}
