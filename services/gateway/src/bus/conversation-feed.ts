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
  type LogEntry,
  type MessagePosted,
  type RunBatch,
  type RunEvent,
  runEndOf,
  SUBJECTS,
} from '@natter/proto';
import type { BusMessage, Subscription } from '@natter/runtime';
import type { PlaceEvent } from '../session/dialect.ts';
import { Audiences } from './audiences.ts';
import { ConversationLog, type LogOwner } from './conversation-log.ts';
import type { Position } from './cursor.ts';
import type { FeedDeps } from './feed-deps.ts';
import { Few } from './few.ts';
import { type Follower, Followers } from './followers.ts';
import { MissedRecords } from './missed-records.ts';
import { Recent } from './recent.ts';
import { RunFeed, type RunOwner } from './run-feed.ts';
import { SaidMessages } from './said-messages.ts';
import { sendMissed } from './send-missed.ts';
import type { Watch } from './watch.ts';

/** Runs that have ended, whose last event may come once more. */
const ENDED_LIMIT = 64;
/** Runs that were asked for and have not begun. */
const WAITING_RUNS = 64;
/** Records of one read for somebody who comes back. */
const MISSED_PAGE = 500;
/** Records read to close a gap; readers above it resume by themselves. */
const GAP_LIMIT = 5_000;
/** Messages said and not yet seen to come back; above it the oldest are shown to their senders. */
const OWN_LIMIT = 256;
/** A run that has been silent this long is checked, in case its last event was lost. */
const SILENCE_MS = 15_000;

const decoder = new TextDecoder();

/** Of the many conversations in which nothing is said; never written to. */
const NO_RUNS: Map<string, RunFeed> = new Map();
/** What was begun and has ended well. */
const DONE = Promise.resolve();

export class ConversationFeed implements RunOwner, LogOwner {
  readonly conversation: string;
  /** Messages that were said lately. */
  readonly said = new SaidMessages();
  /** What those who come back have missed. */
  readonly missed: MissedRecords;
  readonly #deps: FeedDeps;
  readonly #subscription: Subscription;
  readonly #prefix: number;
  readonly #log: ConversationLog;
  readonly #audiences: Audiences;
  readonly #followers: Followers;
  readonly #watches = new Few<Watch>();
  #runs = NO_RUNS;
  readonly #ended = new Recent<true>(ENDED_LIMIT);
  /** Messages whose sender must not see them come back. */
  readonly #own = new Recent<Watch>(OWN_LIMIT);
  /** Runs that were over before: whoever asks for one again gets it, those who watch have it. */
  readonly #past = new Few<string>();
  /** Questions told because their runs have begun, of which the log has not told yet. */
  readonly #early = new Recent<MessagePosted>(WAITING_RUNS);
  /** Whether it is not known who may be told anything. */
  #suspended = false;
  /** Sequence in MESSAGES up to which the ends of runs were told. */
  #endSeq = 0;
  #newest: RunFeed | null = null;
  /** What is known when the first connection watches; null before one does. */
  #initial: Promise<void> | null = null;
  /** Whether that is known. */
  #isBegun = false;

  constructor(conversation: string, deps: FeedDeps) {
    this.conversation = conversation;
    this.#deps = deps;
    this.missed = new MissedRecords(deps.reader, conversation, MISSED_PAGE);
    this.#prefix = SUBJECTS.conversationOut(conversation).length - 1;
    this.#audiences = new Audiences(this, deps);
    this.#followers = new Followers(deps.log, this.#audiences);
    this.#log = new ConversationLog(this, deps);
    this.#subscription = deps.bus.subscribe(SUBJECTS.conversationOut(conversation), (message) =>
      this.#receive(message),
    );
  }

  /** Runs that are followed, or under way while somebody watches. */
  get runs(): ReadonlyMap<string, RunFeed> {
    return this.#runs;
  }

  get isIdle(): boolean {
    return this.#watches.size === 0 && this.#followers.size === 0;
  }

  /** How many of those who watch are sent nothing until they are brought up to date. */
  get setAside(): number {
    let count = 0;
    for (const { behindAt } of this.#watches) if (behindAt !== null) count += 1;
    return count;
  }

  /** How far those who are up to date have come. */
  get position(): Position {
    const newest = this.#newest;
    return {
      log: this.#log.seq,
      end: this.#endSeq,
      run: newest?.run ?? '',
      at: newest?.view.text.length ?? 0,
      marks: newest?.view.marks ?? 0,
    };
  }

  /** Runs that those who watch see being answered. */
  get openRuns(): RunFeed[] {
    return [...this.#runs.values()].filter(({ run, view }) => view.end === null && !this.#past.has(run));
  }

  /** The question of a run, if it comes later in the log, and nobody will be told of it then. */
  earlyQuestion(run: string): MessagePosted | null {
    return this.#early.get(run) ?? null;
  }

  close(): void {
    this.#subscription.close();
  }

  /** Delivers what is known of the run, then every event until `unfollow`. */
  follow(run: string, follower: Follower): RunFeed {
    const feed = this.#run(run);
    this.#followers.add(feed, follower);
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
    if (!this.#followers.remove(run, follower)) return;
    if (this.#past.delete(run)) this.#forgetRun(run);
    const view = this.#runs.get(run)?.view;
    // A question that was refused has no run: whoever watches must not wait for it.
    const isUnheard = view?.text === '' && view.marks === 0 && !this.said.has(run);
    if (this.#watches.size === 0 || isUnheard || view?.end !== null) this.#forgetRun(run);
  }

  /** Brings a connection up to date, then lets it watch. Rejects when the broker stays away. */
  async watch(watch: Watch): Promise<void> {
    this.#watches.add(watch);
    await watch.options.ready();
    if (!watch.stopped) await this.#admit(watch);
  }

  unwatch(watch: Watch): void {
    watch.stopped = true;
    this.#watches.delete(watch);
    this.#audiences.remove(watch);
    for (const [run, owner] of this.#own.entries()) if (owner === watch) this.#own.delete(run);
    if (this.#watches.size > 0) return;
    this.#audiences.clear();
    this.missed.clear();
    // Changes to them are not heard any more.
    this.said.clear();
    this.#early.clear();
    // What nobody follows is not kept up: the next one to watch begins anew.
    this.#initial = null;
    this.#isBegun = false;
    this.#log.drop();
    for (const run of this.#runs.keys()) if (!this.#followers.has(run)) this.#forgetRun(run);
  }

  /** The message with this id is the watcher's own: they shall not see it come back. */
  mute(run: string, watch: Watch): void {
    if (!this.said.has(run)) this.#own.set(run, watch);
  }

  unmute(run: string): void {
    this.#own.delete(run);
  }

  /** Sends something that is no part of the transcript to all, but for one connection. */
  announce(event: PlaceEvent, except: Watch | null = null): void {
    this.#emitPlace(event, null, except);
  }

  /** Takes those out who don't read what they are sent; call it often while something is sent. */
  setAsideSlow(softBufferBytes: number): void {
    this.#audiences.setAside(({ socket }) => socket.buffered() > softBufferBytes);
  }

  /** Sends nobody anything until `resume`. */
  suspend(): void {
    this.#suspended = true;
    this.#audiences.setAside(() => true);
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
    this.missed.clear();
    const before = this.#deps.now() - silenceMs;
    for (const run of this.#runs.values()) if (run.heardAtMs <= before) void run.repair();
    if ((silenceMs > 0 && !this.#log.torn) || this.#watches.size === 0 || this.#initial === null) return;
    let open: string[] = [];
    await this.#deps.repairs.run(async () => {
      const { reader } = this.#deps;
      const newest = Math.max(this.#log.seq, this.#endSeq);
      // MESSAGES was made anew: its sequences begin at 1 again, and all of it is unseen.
      if (!(await reader.reachesBackTo(newest))) {
        this.#log.seq = 0;
        this.#endSeq = 0;
      }
      open = await reader.openRuns(this.conversation);
    });
    await this.#log.closeGap();
    await this.#repairOpen(open);
  }

  static readonly silenceMs = SILENCE_MS;

  #receive(message: BusMessage): void {
    const { subject } = message;
    if (subject.startsWith('run.', this.#prefix)) {
      const run = subject.slice(this.#prefix + 4);
      // Only agents may publish here (broker permissions), and a schema for each token would cost
      // more than the token: the shape is checked where events are read back.
      const batch = JSON.parse(decoder.decode(message.data)) as RunBatch;
      const feed = this.#runs.get(run) ?? this.#newRunOnTheBus(run);
      feed?.receive(batch);
    } else if (this.#watches.size > 0) {
      this.#receiveOther(subject.slice(this.#prefix), message);
    }
  }

  #newRunOnTheBus(run: string): RunFeed | null {
    return this.#watches.size === 0 || this.#ended.has(run) ? null : this.#run(run);
  }

  #receiveOther(kind: string, message: BusMessage): void {
    const { rooms } = this.#deps;
    // Before somebody watches nobody was told of anything: they begin where the log ends then.
    if (kind === 'log') return this.#initial === null ? undefined : this.#log.receive(message);
    if (kind === 'room') rooms.room(this.conversation, message.data);
    else if (kind.startsWith('member.')) rooms.member(this.conversation, message.data);
    else if (kind === 'live') this.#receiveLive(LiveEvent.parse(JSON.parse(decoder.decode(message.data))));
  }

  #receiveLive(event: LiveEvent): void {
    if (event.type === 'presence') return this.#deps.rooms.presence(this.conversation, event);
    const { connection, ...told } = event;
    // Whoever types or uploads knows it.
    let own: Watch | null = null;
    for (const watch of this.#watches) if (watch.options.connection === connection) own = watch;
    this.#emitPlace(told, null, own);
  }

  /** For the log. */
  async readRecords(isWanted: () => boolean): Promise<void> {
    const from = Math.min(this.#log.seq, this.#endSeq);
    const { entries, upTo } = await this.#deps.reader.since(this.conversation, from, GAP_LIMIT);
    // All who watched have left meanwhile, and whoever came since begins anew.
    if (!isWanted()) return;
    for (const { seq, record } of entries) {
      if (!('role' in record)) this.#log.apply(seq, record);
      else if (seq > this.#endSeq && !this.#ended.has(record.run))
        this.#run(record.run).finish(runEndOf(record), seq);
    }
    // Past entries that can't be read, which would look like a gap for ever.
    this.#log.seq = Math.max(this.#log.seq, upTo);
  }

  /** What is known when the first connection watches: the end of the log, and what is under way. */
  async #initialise(): Promise<void> {
    const held = this.#log.hold();
    // Runs that end from here on are told of by their last events.
    this.#endSeq = 0;
    try {
      const { reader } = this.#deps;
      const newest = await reader.lastSeq(this.conversation);
      if (!this.#log.isHeldBy(held)) return;
      this.#log.seq = newest;
      this.#endSeq = Math.max(this.#endSeq, newest);
      if (newest > 0) await this.#recall(newest);
      const open = await reader.openRuns(this.conversation);
      // One of which something came meanwhile may have been read for that.
      await this.#repairOpen(open.filter((run) => this.#runs.get(run)?.isWhole !== true));
      this.#isBegun = this.#log.isHeldBy(held);
      if (this.#isBegun) this.#initial = DONE;
    } catch (error) {
      if (this.#log.isHeldBy(held)) {
        this.#initial = null;
        this.#log.drop();
      }
      throw error;
    } finally {
      this.#log.release(held);
    }
  }

  /** A question that waits was told of when it was said: its run must not tell of it once more. */
  async #recall(newest: number): Promise<void> {
    const { reader, pages } = this.#deps;
    if (!(await reader.hasUnanswered(this.conversation))) return;
    this.said.recall(await pages.recent(this.conversation), newest);
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
      if (this.#suspended) watch.behindAt = this.position;
      else this.#audiences.add(watch);
    };
    await sendMissed(watch, { feed: this, reader, pages, now, upToDate });
  }

  /** For the log. */
  applyLog(seq: number, entry: LogEntry | null): void {
    if (entry?.type === 'message.posted') this.#applyPosted(seq, entry);
    else if (entry !== null && entry.type !== 'run.cancel_requested') this.#applyChange(seq, entry);
    // With no run under way, all that have ended were told.
    if (this.#runs.size === 0) this.#endSeq = Math.max(this.#endSeq, seq);
  }

  #applyPosted(seq: number, entry: MessagePosted): void {
    this.#early.delete(entry.run);
    // So that a run of which nothing is ever heard is looked for.
    if (entry.asks && !this.#ended.has(entry.run) && this.#runs.size < WAITING_RUNS) this.#run(entry.run);
    this.#announcePosted(entry, seq);
  }

  #applyChange(
    seq: number,
    entry: Exclude<LogEntry, MessagePosted | { type: 'run.cancel_requested' }>,
  ): void {
    if (entry.type === 'message.deleted') this.said.markDeleted(entry.run);
    this.#emitPlace(entry, seq);
  }

  /** The log and the run's first event both tell of a question; whichever is first is sent on. */
  #announcePosted(entry: MessagePosted, seq: number | null): void {
    if (this.said.has(entry.run)) return;
    this.said.add(entry);
    const own = this.#own.get(entry.run) ?? null;
    this.#own.delete(entry.run);
    this.#emitPlace(entry, seq, own);
  }

  /** For each run. */
  emitRun(feed: RunFeed, event: RunEvent, endSeq: number | undefined): void {
    if (this.#past.has(feed.run)) return this.#followers.deliver(feed, event);
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
      // Before it is told: who has its question, and comes back with that cursor, is not told it again.
      this.#newest = feed;
      // Until it is known where the log ends: what is behind that end, the log will tell.
      if (this.#isBegun) {
        if (!this.said.has(feed.run)) this.#early.set(feed.run, posted);
        this.#announcePosted(posted, null);
      }
    }
    const isEnd = isRunEnd(event);
    if (isEnd) this.#endSeq = Math.max(this.#endSeq, endSeq ?? 0);
    this.#followers.deliver(feed, event);
    this.#audiences.sendRun(feed, event);
    if (this.#watches.size > 0) this.#deps.busy(this);
    if (isEnd) this.#endRun(feed, endSeq);
  }

  /** For each run. */
  wantsRun({ run }: RunFeed): boolean {
    return this.#watches.size > 0 || this.#followers.has(run);
  }

  #endRun(feed: RunFeed, endSeq: number | undefined): void {
    this.#ended.set(feed.run, true);
    if (!this.#followers.has(feed.run)) this.#forgetRun(feed.run);
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

  #emitPlace(event: PlaceEvent, position: number | null, except: Watch | null = null): void {
    this.#audiences.sendPlace(event, position, except);
    this.#deps.busy(this);
  }

  #forgetRun(run: string): void {
    this.#runs.delete(run);
    if (this.#runs.size === 0) this.#runs = NO_RUNS;
  }

  #run(run: string): RunFeed {
    let feed = this.#runs.get(run);
    if (feed === undefined) {
      feed = new RunFeed(this, run, this.#deps);
      if (this.#runs === NO_RUNS) this.#runs = new Map();
      this.#runs.set(run, feed);
    }
    return feed;
  }
}
