/** The conversations this gateway hears: a feed for each that somebody watches or follows. */
import type { Bus, Logger } from '@natter/runtime';
import type { Topics } from '../session/topics.ts';
import { ConversationFeed } from './conversation-feed.ts';
import type { Position } from './cursor.ts';
import type { FeedDeps, RoomListener } from './feed-deps.ts';
import type { Follower } from './followers.ts';
import { Gate } from './gate.ts';
import { TranscriptPages } from './transcript-pages.ts';
import { TranscriptReader } from './transcript-reader.ts';
import { Watch, type WatchOptions } from './watch.ts';

export type { Follower } from './followers.ts';

export interface Following {
  /** Reads from the broker what happened before or was missed; call it for a repeated question. */
  repair(): void;
  stop(): void;
}

/** One connection's view of one conversation. */
export interface Watching {
  readonly watch: Watch;
  /** Resolves when the connection is up to date; rejects with BusError when that can't be had. */
  readonly admitted: Promise<void>;
  /** Up to where it was sent everything; null before it was admitted. */
  position(): Position | null;
  /** The socket has room again. */
  drained(): void;
  stop(): void;
}

export interface HubOptions {
  bus: Bus;
  topics: Topics;
  rooms: RoomListener;
  log: Logger;
  now: () => number;
  /** With more than this waiting, a watcher is set aside until it has caught up. */
  softBufferBytes: number;
}

/** Reads at once: after a reconnect everybody wants to know what they missed. */
const REPAIRS_AT_ONCE = 16;

export class ConversationHub {
  readonly #options: HubOptions;
  readonly #feeds = new Map<string, ConversationFeed>();
  readonly #deps: FeedDeps;
  readonly #watchers: Watchers;
  /** Feeds that have sent something since slow readers were last looked for. */
  readonly #busy = new Set<ConversationFeed>();
  readonly reader: TranscriptReader;
  readonly pages: TranscriptPages;

  constructor(options: HubOptions) {
    const { bus, topics, rooms, log, now } = options;
    this.#options = options;
    this.reader = new TranscriptReader(bus, log, now);
    this.pages = new TranscriptPages(bus.stored, log);
    this.#deps = {
      bus,
      reader: this.reader,
      pages: this.pages,
      repairs: new Gate(REPAIRS_AT_ONCE),
      topics,
      rooms,
      log,
      now,
      busy: (feed) => this.#busy.add(feed),
    };
    this.#watchers = {
      catchUp: (feed, watch) => void this.#catchUp(feed, watch),
      dropIfIdle: (feed) => this.#dropIfIdle(feed),
    };
    // Rooms are checked once it is known who may still be in them.
    bus.onReconnect(() => this.#checkAll(0, (feed) => !isRoom(feed)));
    bus.onDisconnect(() => this.#suspendRooms());
  }

  /** Everybody who watches a room here may: goes on after the broker was away. */
  resumeRooms(): void {
    this.#checkAll(0, isRoom);
    for (const feed of this.#feeds.values()) {
      if (!isRoom(feed)) continue;
      for (const watch of feed.resume()) void this.#catchUp(feed, watch);
    }
  }

  /** Nobody is sent anything of a room before it is known that they are still in it. */
  #suspendRooms(): void {
    for (const feed of this.#feeds.values()) if (isRoom(feed)) feed.suspend();
  }

  /** Runs that are followed or under way where somebody watches. */
  get size(): number {
    let runs = 0;
    for (const feed of this.#feeds.values()) runs += feed.runs.size;
    return runs;
  }

  /** Connections that are sent nothing until they are brought up to date. */
  get setAside(): number {
    let count = 0;
    for (const feed of this.#feeds.values()) count += feed.setAside;
    return count;
  }

  /** Delivers what is known of the run, then every event until `stop`. */
  follow(conversation: string, run: string, follower: Follower): Following {
    const feed = this.#feed(conversation);
    const runFeed = feed.follow(run, follower);
    return {
      repair: () => void feed.repair(runFeed),
      stop: () => {
        feed.unfollow(run, follower);
        this.#dropIfIdle(feed);
      },
    };
  }

  /** Sends a connection what it has missed of a conversation, then everything until `stop`. */
  watch(conversation: string, options: WatchOptions): Watching {
    const feed = this.#feed(conversation);
    const watch = new Watch(options);
    return new WatchingHere(watch, feed, this.#watchers);
  }

  /** The feed of a conversation that somebody here watches or follows. */
  find(conversation: string): ConversationFeed | null {
    return this.#feeds.get(conversation) ?? null;
  }

  /** Checks runs from which nothing has been heard; call it every few seconds. */
  checkSilent(): void {
    this.#checkAll(ConversationFeed.silenceMs);
  }

  /** Looks for watchers who don't read; call it several times a second. */
  setAsideSlow(): void {
    for (const feed of this.#busy) feed.setAsideSlow(this.#options.softBufferBytes);
    this.#busy.clear();
  }

  async #catchUp(feed: ConversationFeed, watch: Watch): Promise<void> {
    if (watch.behindAt === null || watch.socket.buffered() > this.#options.softBufferBytes / 2) return;
    try {
      await feed.catchUp(watch);
    } catch (err) {
      this.#options.log.warn({ err }, 'a slow reader could not be brought up to date');
      watch.options.failed();
    }
  }

  #checkAll(silenceMs: number, which: (feed: ConversationFeed) => boolean = () => true): void {
    for (const feed of this.#feeds.values()) {
      if (!which(feed)) continue;
      feed.check(silenceMs).catch((err: unknown) => {
        this.#options.log.warn(
          { err, conversation: feed.conversation },
          'a conversation could not be checked',
        );
      });
    }
  }

  #feed(conversation: string): ConversationFeed {
    let feed = this.#feeds.get(conversation);
    if (feed === undefined) {
      feed = new ConversationFeed(conversation, this.#deps);
      this.#feeds.set(conversation, feed);
    }
    return feed;
  }

  #dropIfIdle(feed: ConversationFeed): void {
    if (!feed.isIdle || this.#feeds.get(feed.conversation) !== feed) return;
    feed.close();
    this.#feeds.delete(feed.conversation);
    this.#busy.delete(feed);
  }
}

/** What each of those who watch needs of the hub. */
interface Watchers {
  catchUp(feed: ConversationFeed, watch: Watch): void;
  dropIfIdle(feed: ConversationFeed): void;
}

/** One object for each who watches; as closures it was four times as much memory. */
class WatchingHere implements Watching {
  readonly watch: Watch;
  readonly admitted: Promise<void>;
  readonly #feed: ConversationFeed;
  readonly #watchers: Watchers;

  constructor(watch: Watch, feed: ConversationFeed, watchers: Watchers) {
    this.watch = watch;
    this.#feed = feed;
    this.#watchers = watchers;
    this.admitted = feed.watch(watch);
  }

  position(): Position | null {
    return this.watch.live ? this.#feed.position : this.watch.behindAt;
  }

  drained(): void {
    this.#watchers.catchUp(this.#feed, this.watch);
  }

  stop(): void {
    this.#feed.unwatch(this.watch);
    this.#watchers.dropIfIdle(this.#feed);
  }
}

/** A room of several people: membership may end; a private one is its owner's for ever. */
function isRoom({ conversation }: ConversationFeed): boolean {
  return conversation.startsWith('=');
}
