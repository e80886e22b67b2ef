/**
 * One conversation on this gateway: its log and its runs as they come, for all who watch it.
 *
 * One subscription, one view of each run, one encoding per event and wire. Whoever joins, resumes
 * or was too slow is sent what they missed from the broker, then joins the others without a gap
 * (docs/decisions/0016).
 */
import {
  isRunEnd,
  LiveEvent,
  LogEntry,
  type MessagePosted,
  type RunBatch,
  type RunEvent,
  runEndOf,
  SUBJECTS,
} from '@natter/proto';
import type { Bus, BusMessage, Logger, Subscription } from '@natter/runtime';
import type { Dialect, Frames, Place, PlaceEvent, RunText } from '../session/dialect.ts';
import type { Topics } from '../session/topics.ts';
import { Audience } from './audience.ts';
import { encodeCursor, type Position } from './cursor.ts';
import type { Gate } from './gate.ts';
import { Recent } from './recent.ts';
import { RunContext } from './run-context.ts';
import { RunFeed, type RunFeedDeps } from './run-feed.ts';
import { sendMissed } from './send-missed.ts';
import type { TranscriptPages } from './transcript-pages.ts';
import type { TranscriptReader } from './transcript-reader.ts';
import type { Watch } from './watch.ts';

/** Somebody who wants the events of one run. */
export interface Follower {
  readonly dialect: Dialect;
  readonly place: Place;
  /** `frames` is null where the dialect has none for the event; `run` stays live. Must not throw. */
  deliver(event: RunEvent, frames: Frames, run: RunText): void;
}

/** What else is said on a conversation's subjects; the gateway's rooms want to know. */
export interface RoomListener {
  /** The record of the room; empty when it was deleted. */
  room(conversation: string, data: Uint8Array): void;
  member(conversation: string, data: Uint8Array): void;
  presence(conversation: string, event: Extract<LiveEvent, { type: 'presence' }>): void;
}

export interface FeedDeps {
  bus: Pick<Bus, 'subscribe'>;
  reader: TranscriptReader;
  pages: TranscriptPages;
  repairs: Gate;
  topics: Topics;
  rooms: RoomListener;
  log: Logger;
  now: () => number;
  /** Something was fanned out: slow readers should be looked for. */
  busy(feed: ConversationFeed): void;
}

/** A message that was said here lately. */
export interface Said {
  run: string;
  id: string;
  sub: string;
  name: string | null;
  asks: boolean;
  /** When it was said, in milliseconds since 1970. */
  at: number;
  deleted: boolean;
}

/** Messages whose ids are known without asking the broker. */
const SAID_LIMIT = 256;
/** Of them, those that were said before anybody watched here. */
const RECALLED = 128;
/** Runs that have ended, whose last event may come once more. */
const ENDED_LIMIT = 64;
/** Runs that were asked for and have not begun. */
const WAITING_RUNS = 64;
/** Log entries held back while a gap is closed; above it they are read from the broker. */
const HELD_LIMIT = 1_000;
/** Records read to close a gap; readers above it resume by themselves. */
const GAP_LIMIT = 5_000;
/** Messages said and not yet seen to come back; above it the oldest are shown to their senders. */
const OWN_LIMIT = 256;
/** A run that has been silent this long is checked, in case its last event was lost. */
const SILENCE_MS = 15_000;

const decoder = new TextDecoder();

export class ConversationFeed {
  readonly conversation: string;
  readonly runs = new Map<string, RunFeed>();
  readonly #deps: FeedDeps;
  readonly #runDeps: RunFeedDeps;
  readonly #subscription: Subscription;
  readonly #prefix: number;
  readonly #audiences = new Map<string, Audience>();
  readonly #watches = new Set<Watch>();
  readonly #followers = new Map<string, Set<Follower>>();
  readonly #said = new Recent<Said>(SAID_LIMIT);
  readonly #ended = new Recent<true>(ENDED_LIMIT);
  /** Messages whose sender must not see them come back. */
  readonly #own = new Recent<Watch>(OWN_LIMIT);
  /** Runs that were over before: whoever asks for one again gets it, those who watch have it. */
  readonly #past = new Set<string>();
  /** Whether it is not known who may be told anything. */
  #suspended = false;
  #logSeq = 0;
  #endSeq = 0;
  #newest: RunFeed | null = null;
  #initial: Promise<void> | null = null;
  /** Log messages that came while the broker is asked for earlier ones; null when it isn't. */
  #held: BusMessage[] | null = null;
  /** Entries are missing that could not be read. */
  #torn = false;

  constructor(conversation: string, deps: FeedDeps) {
    this.conversation = conversation;
    this.#deps = deps;
    this.#prefix = SUBJECTS.conversationOut(conversation).length - 1;
    this.#runDeps = {
      reader: deps.reader,
      repairs: deps.repairs,
      log: deps.log,
      now: deps.now,
      emit: (run, event, endSeq) => this.#emitRun(run, event, endSeq),
      isWanted: (run) => this.#watches.size > 0 || this.#followers.has(run.run),
    };
    this.#subscription = deps.bus.subscribe(SUBJECTS.conversationOut(conversation), (message) =>
      this.#receive(message),
    );
  }

  get isIdle(): boolean {
    return this.#watches.size === 0 && this.#followers.size === 0;
  }

  get watched(): boolean {
    return this.#watches.size > 0;
  }

  /** How far those who are up to date have come. */
  get position(): Position {
    const newest = this.#newest;
    return {
      log: this.#logSeq,
      end: this.#endSeq,
      run: newest?.run ?? '',
      at: newest?.view.text.length ?? 0,
      marks: newest?.view.marks ?? 0,
    };
  }

  /** Runs that those who watch see being answered. */
  get openRuns(): RunFeed[] {
    return [...this.runs.values()].filter(({ run, view }) => view.end === null && !this.#past.has(run));
  }

  close(): void {
    this.#subscription.close();
  }

  /** Delivers what is known of the run, then every event until `unfollow`. */
  follow(run: string, follower: Follower): RunFeed {
    const feed = this.#run(run);
    const context = this.#contextOf(feed, follower.place, false);
    feed.view.replay((event) =>
      follower.deliver(event, follower.dialect.encodeEvent(event, context), context),
    );
    const followers = this.#followers.get(run) ?? new Set();
    this.#followers.set(run, followers.add(follower));
    return feed;
  }

  /** Reads what happened of a followed run before it was followed. Never rejects. */
  async repair(feed: RunFeed): Promise<void> {
    const { reader, log } = this.#deps;
    try {
      const end = this.#watches.size === 0 ? null : await reader.runEnd(this.conversation, feed.run);
      if (end !== null && end.seq <= this.#endSeq && this.#followers.has(feed.run)) this.#past.add(feed.run);
    } catch (err) {
      log.warn({ err, run: feed.run }, 'the end of a run could not be read');
    }
    await feed.repair();
  }

  unfollow(run: string, follower: Follower): void {
    const followers = this.#followers.get(run);
    followers?.delete(follower);
    if (followers?.size !== 0) return;
    this.#followers.delete(run);
    if (this.#past.delete(run)) this.runs.delete(run);
    const view = this.runs.get(run)?.view;
    // A question that was refused has no run: whoever watches must not wait for it.
    const isUnheard = view?.text === '' && view.marks === 0 && !this.#said.has(run);
    if (this.#watches.size === 0 || isUnheard || view?.end !== null) this.runs.delete(run);
  }

  /** Brings a connection up to date, then lets it watch. Rejects when the broker stays away. */
  async watch(watch: Watch): Promise<void> {
    this.#watches.add(watch);
    await watch.options.ready();
    if (!watch.stopped) await this.#admit(watch);
  }

  unwatch(watch: Watch): void {
    watch.stopped = true;
    watch.live = false;
    this.#watches.delete(watch);
    this.#audienceOf(watch).remove(watch);
    for (const [run, owner] of this.#own.entries()) if (owner === watch) this.#own.delete(run);
    if (this.#watches.size > 0) return;
    this.#audiences.clear();
    // Changes to them are not heard any more.
    this.#said.clear();
    // What nobody follows is not kept up: the next one to watch begins anew.
    this.#initial = null;
    this.#held = null;
    for (const run of this.runs.keys()) if (!this.#followers.has(run)) this.runs.delete(run);
  }

  /** The message with this id is the watcher's own: they shall not see it come back. */
  mute(run: string, watch: Watch): void {
    if (!this.#said.has(run)) this.#own.set(run, watch);
  }

  unmute(run: string): void {
    this.#own.delete(run);
  }

  /** A message said lately, by its bus-wide id only. */
  said(run: string): Said | null {
    return this.#said.get(run) ?? null;
  }

  /** A message said lately, by its bus-wide id, or by the client's and its author. */
  find(id: string, sub: string | null): Said | null {
    const known = this.#said.get(id);
    if (known !== undefined) return known;
    let found: Said | null = null;
    for (const said of this.#said.values()) {
      if (said.id === id && (sub === null || said.sub === sub)) found = said;
    }
    return found;
  }

  /** Sends something that is no part of the transcript to all, but for one connection. */
  announce(event: PlaceEvent, except: Watch | null = null): void {
    this.#emitPlace(event, null, except);
  }

  /** Takes those out who don't read what they are sent; call it often while something is sent. */
  setAsideSlow(softBufferBytes: number): void {
    for (const audience of this.#audiences.values()) {
      for (const watch of audience.live) {
        if (watch.socket.buffered() > softBufferBytes) this.#setAside(audience, watch);
      }
    }
  }

  #setAside(audience: Audience, watch: Watch): void {
    audience.remove(watch);
    watch.live = false;
    watch.behindAt = this.position;
  }

  /** Sends nobody anything until `resume`. */
  suspend(): void {
    this.#suspended = true;
    for (const audience of this.#audiences.values())
      for (const watch of audience.live) this.#setAside(audience, watch);
  }

  /** Returns those who have to be brought up to date. */
  resume(): Watch[] {
    this.#suspended = false;
    return [...this.#watches].filter(({ behindAt, catchingUp }) => behindAt !== null && !catchingUp);
  }

  /** Brings one back that had been set aside. */
  async catchUp(watch: Watch): Promise<void> {
    if (this.#suspended) return;
    const isBehind = watch.behindAt !== null && !watch.live && !watch.stopped;
    if (isBehind && !watch.catchingUp) await this.#admit(watch);
  }

  /** Reads what may have been missed: after a reconnect, or when it has been silent for long. */
  async check(silenceMs: number): Promise<void> {
    const before = this.#deps.now() - silenceMs;
    for (const run of this.runs.values()) if (run.heardAtMs <= before) void run.repair();
    if ((silenceMs > 0 && !this.#torn) || this.#watches.size === 0 || this.#initial === null) return;
    let open: string[] = [];
    await this.#deps.repairs.run(async () => {
      const { reader } = this.#deps;
      const newest = Math.max(this.#logSeq, this.#endSeq);
      // MESSAGES was made anew: its sequences begin at 1 again, and all of it is unseen.
      if (!(await reader.reachesBackTo(newest))) {
        this.#logSeq = 0;
        this.#endSeq = 0;
      }
      open = await reader.openRuns(this.conversation);
    });
    await this.#closeGap();
    await this.#repairOpen(open);
  }

  static readonly silenceMs = SILENCE_MS;

  #receive(message: BusMessage): void {
    const { subject } = message;
    if (subject.startsWith('run.', this.#prefix)) {
      const run = subject.slice(this.#prefix + 4);
      const feed = this.runs.get(run) ?? this.#newRunOnTheBus(run);
      // Only agents may publish here (broker permissions), and a schema for each token would cost
      // more than the token: the shape is checked where events are read back.
      feed?.receive(JSON.parse(decoder.decode(message.data)) as RunBatch);
    } else if (this.#watches.size > 0) {
      this.#receiveOther(subject.slice(this.#prefix), message);
    }
  }

  #newRunOnTheBus(run: string): RunFeed | null {
    return this.#watches.size === 0 || this.#ended.has(run) ? null : this.#run(run);
  }

  #receiveOther(kind: string, message: BusMessage): void {
    const { rooms } = this.#deps;
    if (kind === 'log') this.#receiveLog(message);
    else if (kind === 'room') rooms.room(this.conversation, message.data);
    else if (kind.startsWith('member.')) rooms.member(this.conversation, message.data);
    else if (kind === 'live') this.#receiveLive(LiveEvent.parse(JSON.parse(decoder.decode(message.data))));
  }

  #receiveLive(event: LiveEvent): void {
    if (event.type === 'presence') return this.#deps.rooms.presence(this.conversation, event);
    const { sub, name, isTyping, connection } = event;
    let typist: Watch | null = null;
    for (const watch of this.#watches) if (watch.options.connection === connection) typist = watch;
    this.#emitPlace({ type: 'typing', sub, name, isTyping }, null, typist);
  }

  #receiveLog(message: BusMessage): void {
    // Nobody was told of anything yet: who watches first begins where the log ends then.
    if (this.#initial === null) return;
    if (this.#held !== null) {
      if (this.#held.length < HELD_LIMIT) this.#held.push(message);
      return;
    }
    // Each entry names the one before it: a later one means that something is missing.
    if (Number(message.header('Nats-Last-Sequence')) > this.#logSeq) return void this.#closeGap(message);
    this.#applyLog(Number(message.header('Nats-Sequence')), logEntry(message.data));
  }

  /** Reads what is missing before `next`; what comes meanwhile waits. Never rejects. */
  async #closeGap(next?: BusMessage): Promise<void> {
    if (this.#held !== null) return;
    const held = next === undefined ? [] : [next];
    this.#held = held;
    await this.#deps.repairs.run(async () => {
      try {
        if (this.#held === held) await this.#readRecords(held);
        this.#torn = false;
      } catch (err) {
        // What was held is missing as well; all of it is looked for a few seconds later.
        this.#torn = true;
        held.length = 0;
        this.#deps.log.warn({ err, conversation: this.conversation }, 'missed entries could not be read');
      }
      this.#release(held);
    });
  }

  async #readRecords(held: BusMessage[]): Promise<void> {
    const from = Math.min(this.#logSeq, this.#endSeq);
    const { entries, upTo } = await this.#deps.reader.since(this.conversation, from, GAP_LIMIT);
    // All who watched have left meanwhile, and whoever came since begins anew.
    if (this.#held !== held) return;
    for (const { seq, record } of entries) {
      if (!('role' in record)) this.#applyLog(seq, record);
      else if (seq > this.#endSeq && !this.#ended.has(record.run))
        this.#run(record.run).finish(runEndOf(record), seq);
    }
    // Past entries that can't be read, which would look like a gap for ever.
    this.#logSeq = Math.max(this.#logSeq, upTo);
  }

  /** What was held goes on its way, unless another look at the broker holds messages by now. */
  #release(held: BusMessage[]): void {
    if (this.#held !== held) return;
    this.#held = null;
    for (const message of held) this.#receiveLog(message);
  }

  /** What is known when the first connection watches: the end of the log, and what is under way. */
  async #initialise(): Promise<void> {
    const held: BusMessage[] = [];
    this.#held = held;
    // Runs that end from here on are told of by their last events.
    this.#endSeq = 0;
    try {
      const { reader } = this.#deps;
      const newest = await reader.lastSeq(this.conversation);
      if (this.#held !== held) return;
      this.#logSeq = newest;
      this.#endSeq = Math.max(this.#endSeq, newest);
      if (newest > 0) await this.#recall(newest);
      await this.#repairOpen(await reader.openRuns(this.conversation));
    } catch (error) {
      if (this.#held === held) {
        this.#initial = null;
        this.#held = null;
      }
      throw error;
    } finally {
      this.#release(held);
    }
  }

  /** A question that waits was told of when it was said: its run must not tell of it once more. */
  async #recall(newest: number): Promise<void> {
    const { reader, pages } = this.#deps;
    if (!(await reader.hasUnanswered(this.conversation))) return;
    const { messages } = await pages.page(this.conversation, { limit: RECALLED, before: null });
    for (const { seq, role, run, id, sub, name, asks = true, at, deletedAt } of messages)
      if (role === 'user' && seq <= newest)
        this.#said.set(run, { run, id, sub, name, asks, at, deleted: deletedAt !== undefined });
  }

  async #repairOpen(runs: readonly string[]): Promise<void> {
    for (const run of runs) if (!this.#ended.has(run)) await this.#run(run).repair();
  }

  async #admit(watch: Watch): Promise<void> {
    watch.catchingUp = true;
    try {
      this.#initial ??= this.#initialise();
      await this.#initial;
      if (!watch.stopped) await this.#sendMissed(watch);
    } finally {
      watch.catchingUp = false;
    }
  }

  async #sendMissed(watch: Watch): Promise<void> {
    const { reader, pages, now } = this.#deps;
    const upToDate = () => {
      if (watch.stopped) return;
      watch.behindAt = this.#suspended ? this.position : null;
      watch.live = !this.#suspended;
      if (watch.live) this.#audienceOf(watch).add(watch);
    };
    await sendMissed(watch, { feed: this, reader, pages, now, upToDate });
  }

  #applyLog(seq: number, entry: LogEntry | null): void {
    if (seq <= this.#logSeq) return;
    this.#logSeq = seq;
    if (entry?.type === 'message.posted') this.#applyPosted(seq, entry);
    else if (entry !== null && entry.type !== 'run.cancel_requested') this.#applyChange(seq, entry);
    // With no run under way, all that have ended were told.
    if (this.runs.size === 0) this.#endSeq = Math.max(this.#endSeq, seq);
  }

  #applyPosted(seq: number, entry: MessagePosted): void {
    // So that a run of which nothing is ever heard is looked for.
    if (entry.asks && !this.#ended.has(entry.run) && this.runs.size < WAITING_RUNS) this.#run(entry.run);
    this.#announcePosted(entry, seq);
  }

  #applyChange(
    seq: number,
    entry: Exclude<LogEntry, MessagePosted | { type: 'run.cancel_requested' }>,
  ): void {
    const said = this.#said.get(entry.run);
    if (entry.type === 'message.deleted' && said !== undefined) said.deleted = true;
    this.#emitPlace(entry, seq);
  }

  /** The log and the run's first event both tell of a question; whichever is first is sent on. */
  #announcePosted(entry: MessagePosted, seq: number | null): void {
    if (this.#said.has(entry.run)) return;
    const { run, id, sub, name, asks, at } = entry;
    this.#said.set(run, { run, id, sub, name, asks, at, deleted: false });
    const own = this.#own.get(run) ?? null;
    this.#own.delete(run);
    this.#emitPlace(entry, seq, own);
  }

  #emitRun(feed: RunFeed, event: RunEvent, endSeq: number | undefined): void {
    if (this.#past.has(feed.run)) return this.#emitToFollowers(feed, event);
    if (event.type === 'run.started') {
      const { messageId: id, sub, name, text, askedAt: at } = event;
      const posted: MessagePosted = {
        type: 'message.posted',
        run: feed.run,
        id,
        sub,
        name,
        text,
        asks: true,
        at,
      };
      if (this.#watches.size > 0) this.#announcePosted(posted, null);
      this.#newest = feed;
    }
    const isEnd = isRunEnd(event);
    if (isEnd) this.#endSeq = Math.max(this.#endSeq, endSeq ?? 0);
    this.#emitToFollowers(feed, event);
    for (const audience of this.#audiences.values()) this.#emitTo(audience, feed, event);
    if (this.#watches.size > 0) this.#deps.busy(this);
    if (isEnd) this.#endRun(feed, endSeq);
  }

  #endRun(feed: RunFeed, endSeq: number | undefined): void {
    this.#ended.set(feed.run, true);
    if (!this.#followers.has(feed.run)) this.runs.delete(feed.run);
    if (endSeq !== undefined || this.#watches.size === 0) return;
    void this.#deps.reader
      .runEnd(this.conversation, feed.run)
      .then((end) => {
        this.#endSeq = Math.max(this.#endSeq, end?.seq ?? 0);
      })
      .catch((err: unknown) =>
        this.#deps.log.warn({ err, run: feed.run }, 'the end of a run could not be read'),
      );
  }

  #emitToFollowers(feed: RunFeed, event: RunEvent): void {
    let dialect: Dialect | null = null;
    let context: RunContext | null = null;
    let frames: Frames = null;
    for (const follower of this.#followers.get(feed.run) ?? []) {
      try {
        if (context === null || follower.dialect !== dialect) {
          dialect = follower.dialect;
          context = this.#contextOf(feed, follower.place, false);
          frames = dialect.encodeEvent(event, context);
        }
        follower.deliver(event, frames, context);
      } catch (err) {
        // The others must have it all the same.
        this.#deps.log.error({ err, run: feed.run, event: event.type }, 'an event could not be delivered');
      }
    }
  }

  #emitTo(audience: Audience, feed: RunFeed, event: RunEvent): void {
    if (audience.live.size === 0) return;
    try {
      const context = audience.contexts.get(feed) ?? this.#contextOf(feed, audience.place, audience.cursors);
      audience.contexts.set(feed, context);
      audience.send(audience.dialect.encodeEvent(event, context));
    } catch (err) {
      this.#deps.log.error({ err, run: feed.run, event: event.type }, 'an event could not be sent');
    }
  }

  #emitPlace(event: PlaceEvent, position: number | null, except: Watch | null = null): void {
    const atMs = this.#deps.now();
    for (const audience of this.#audiences.values()) {
      if (audience.live.size === 0) continue;
      const cursor = audience.cursors ? encodeCursor(this.conversation, this.position) : null;
      const { room, session } = audience.place;
      const context = { room, session, cursor, position, queued: false, atMs };
      audience.send(audience.dialect.encodePlaceEvent(event, context), except);
    }
    this.#deps.busy(this);
  }

  #contextOf(feed: RunFeed, place: Place, cursors: boolean): RunContext {
    const { conversation } = this;
    const { now } = this.#deps;
    const position = cursors ? () => this.position : null;
    return new RunContext(feed.run, feed.view, { conversation, place, position, now });
  }

  #run(run: string): RunFeed {
    let feed = this.runs.get(run);
    if (feed === undefined) {
      feed = new RunFeed(this.conversation, run, this.#runDeps);
      this.runs.set(run, feed);
    }
    return feed;
  }

  #audienceOf({ options }: Watch): Audience {
    const { dialect, cursors, place } = options;
    const name = `${dialect.name}|${cursors ? 1 : 0}|${place.room === null ? 'own' : 'room'}`;
    let audience = this.#audiences.get(name);
    if (audience === undefined) {
      const topic = `${this.conversation}|${name}`;
      audience = new Audience(topic, dialect, cursors, place, this.#deps.topics);
      this.#audiences.set(name, audience);
    }
    return audience;
  }
}

/** Null for an entry of another version; the others must go on. */
function logEntry(data: Uint8Array): LogEntry | null {
  try {
    return LogEntry.parse(JSON.parse(decoder.decode(data)));
  } catch {
    return null;
  }
}
