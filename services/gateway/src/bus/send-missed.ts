/** Sends one connection what it missed of a conversation, up to where the others are. */
import { foldTranscript, isRunEnd, type LogEntry, type MessagePosted, runEndOf } from '@natter/proto';
import { BusError } from '@natter/runtime';
import type { RunText } from '../session/dialect.ts';
import type { ConversationFeed } from './conversation-feed.ts';
import { encodeCursor, type Position } from './cursor.ts';
import { reachCursor } from './reach-cursor.ts';
import { RunContext } from './run-context.ts';
import { type RunStarted, RunView } from './run-view.ts';
import type { TranscriptPages } from './transcript-pages.ts';
import type { TranscriptEntry, TranscriptReader } from './transcript-reader.ts';
import type { Watch } from './watch.ts';

interface MissedDeps {
  feed: ConversationFeed;
  reader: TranscriptReader;
  pages: TranscriptPages;
  now: () => number;
  /** Called last, in the same turn of the event loop: nothing comes between. */
  upToDate(): void;
}

/** Messages shown to a reader whose cursor is outside the window. */
const TRANSCRIPT_MESSAGES = 100;
/** Looks at a transcript while more is said than a reader may have missed. */
const TRANSCRIPT_TRIES = 5;
/** Looks at a replica that lags behind what was heard, 20 ms apart. */
const STALE_LOOKS = 100;

/** Resolves when the connection is up to date or has stopped. Throws BusError. */
export async function sendMissed(watch: Watch, deps: MissedDeps): Promise<void> {
  const since = watch.behindAt ?? watch.options.since;
  if (since === null) {
    return watch.socket.together(() => {
      begin(watch, true);
      finish(watch, deps, START);
    });
  }
  // Whoever fell behind here was never ahead of this gateway.
  if (watch.behindAt === null) await reachCursor(since, deps);
  if (watch.stopped) return;
  let missed: Missed | null;
  do {
    missed = await readMissed(watch, since, deps);
    if (watch.stopped) return;
    // The feed may have gone on while this was waited for, though for one turn of the queue only.
  } while (missed !== null && !isAt(deps.feed, missed.upTo));
  // Somebody who is that far behind comes back as a new connection.
  if (missed === null) return watch.begun ? watch.options.failed() : sendTranscript(watch, deps);
  const queued = watch.options.queued && !watch.begun;
  const { entries, dropped } = missed;
  watch.socket.together(() => {
    begin(watch, true);
    if (dropped > 0) watch.options.cut(dropped);
    const sender = new MissedSender(watch, since, queued, deps);
    sender.sendAll(entries);
    finish(watch, deps, sender.position);
  });
}

interface Missed {
  entries: TranscriptEntry[];
  dropped: number;
  /** How far the feed was. */
  upTo: { log: number; end: number };
}

const START: Position = { log: 0, end: 0, run: '', at: 0, marks: 0 };

function begin(watch: Watch, recovered: boolean): void {
  if (watch.begun) return;
  watch.begun = true;
  watch.options.begin(recovered);
}

/** Unseen records that the feed has been through; null when they can't be had, or are too many. */
async function readMissed(
  watch: Watch,
  since: Position,
  { feed, reader }: MissedDeps,
): Promise<Missed | null> {
  const { missedLimit } = watch.options;
  const queued = watch.options.queued && !watch.begun;
  if (isAt(feed, since)) return { entries: [], dropped: 0, upTo: since };
  let upTo = Math.min(since.log, since.end);
  if (!queued && upTo > 0 && !(await reader.reachesBackTo(upTo))) return null;
  let missed: TranscriptEntry[] = [];
  let dropped = 0;
  for (let looks = 0; upTo < Math.max(feed.position.log, feed.position.end); ) {
    const page = await feed.missed.since(upTo);
    if (watch.stopped) return null;
    missed.push(...page.entries.filter((entry) => isUnseen(entry, since)));
    if (missed.length > missedLimit) {
      if (!queued) return null;
      dropped += missed.length - missedLimit;
      missed = missed.slice(missed.length - missedLimit);
    }
    if (page.upTo === upTo) {
      looks += 1;
      const newest = Math.max(feed.position.log, feed.position.end);
      // Nothing is left of what the feed has been through: it was too old, or too much.
      if (!(await reader.reachesBackTo(newest - 1))) break;
      if (looks > STALE_LOOKS) throw new BusError('UNAVAILABLE', 'what was missed can not be read');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    upTo = page.upTo;
  }
  // What the feed has not been through comes with everybody else's.
  const { log, end } = feed.position;
  const entries = missed.filter(({ seq, record }) => seq <= ('role' in record ? end : log));
  return { entries, dropped, upTo: { log, end } };
}

function isAt(feed: ConversationFeed, { log, end }: Missed['upTo']): boolean {
  return feed.position.log === log && feed.position.end === end;
}

function isUnseen({ seq, record }: TranscriptEntry, since: Position): boolean {
  return seq > ('role' in record ? since.end : since.log);
}

/** The reader starts anew: what was said last, then what has come since, then what is under way. */
async function sendTranscript(watch: Watch, deps: MissedDeps): Promise<void> {
  const { feed, pages } = deps;
  for (let tries = 1; tries <= TRANSCRIPT_TRIES; tries += 1) {
    const { log, end } = feed.position;
    const position = { ...START, log, end };
    const { messages } = await pages.page(feed.conversation, { limit: TRANSCRIPT_MESSAGES, before: null });
    if (watch.stopped) return;
    const missed = await readMissed(watch, position, deps);
    if (watch.stopped) return;
    if (missed === null) continue;
    const { entries } = missed;
    const told = messages.filter(({ role, seq }) => seq <= (role === 'user' ? log : end));
    return watch.socket.together(() => {
      begin(watch, false);
      watch.options.transcript(told, position);
      const sender = new MissedSender(watch, position, false, deps);
      sender.sendAll(entries);
      finish(watch, deps, sender.position);
    });
  }
  throw new BusError('UNAVAILABLE', 'more is said than can be read');
}

/** Sends what is under way, from where the connection left it. */
function finish(watch: Watch, { feed, now, upToDate }: MissedDeps, sent: Position): void {
  for (const run of watch.options.underWay === false ? [] : feed.openRuns) {
    const { log, end } = feed.position;
    const { at, marks } = run.run === sent.run ? sent : START;
    // The log will tell of it, and those who are here have it already.
    const early = run.run === sent.run ? null : feed.earlyQuestion(run.run);
    if (early !== null) sendPlace(watch, feed, early, { log, end, run: run.run, at, marks }, now());
    sendRun(watch, feed, run.view, { log, end, run: run.run, at, marks }, end, now);
  }
  upToDate();
}

function sendPlace(
  { options }: Watch,
  { conversation }: ConversationFeed,
  event: MessagePosted,
  position: Position,
  atMs: number,
): void {
  const { dialect, cursors, place } = options;
  const { room, session } = place;
  const cursor = cursors ? encodeCursor(conversation, position) : null;
  const context = { room, session, cursor, position: null, queued: false, atMs };
  // A method: taken out of its object it would not know whose connection it is.
  options.send(dialect.encodePlaceEvent(event, context));
}

/** Replays a run behind `from`; each frame has the cursor behind it, the last one's `end` is `endSeq`. */
function sendRun(
  watch: Watch,
  feed: ConversationFeed,
  view: RunView,
  from: Position,
  endSeq: number,
  now: () => number,
): void {
  const { dialect, place, cursors } = watch.options;
  const { conversation } = feed;
  const position = { ...from };
  const context: RunText = new RunContext(from.run, view, {
    conversation,
    place,
    position: cursors ? () => position : null,
    now,
  });
  view.replay((event) => {
    if (event.type === 'text.delta') position.at = event.at + event.text.length;
    else if (isRunEnd(event)) position.end = endSeq;
    else position.marks += 1;
    watch.options.send(dialect.encodeEvent(event, context));
  }, from);
}

/** Sends records in their order, edits applied; knows where the reader is after each. */
class MissedSender {
  position: Position;
  readonly #watch: Watch;
  readonly #queued: boolean;
  readonly #deps: MissedDeps;

  constructor(watch: Watch, since: Position, queued: boolean, deps: MissedDeps) {
    this.#watch = watch;
    this.#queued = queued;
    this.#deps = deps;
    this.position = { ...since };
  }

  sendAll(entries: TranscriptEntry[]): void {
    const messages = new Map(
      foldTranscript(entries).flatMap((one) => (one.role === 'user' ? [[one.run, one] as const] : [])),
    );
    const deleted = new Set(
      entries.flatMap(({ record }) =>
        'type' in record && record.type === 'message.deleted' ? [record.run] : [],
      ),
    );
    // Whose run the reader has seen begin, they have read: its start may be heard before its entry.
    const { run: begun } = this.position;
    for (const { seq, record } of entries) {
      if ('role' in record) {
        this.#sendEnd(seq, record);
      } else if (record.type === 'message.posted') {
        this.position.log = seq;
        // What was deleted meanwhile is told as deleted, without its text.
        if (!deleted.has(record.run) && record.run !== begun)
          this.#sendEntry(seq, { ...record, text: messages.get(record.run)?.text ?? '' });
      } else {
        this.position.log = seq;
        if (record.type === 'file.shared') {
          this.#sendEntry(seq, record);
          continue;
        }
        const isKnown = messages.has(record.run) || deleted.has(record.run);
        const isFolded = isKnown && record.type === 'message.edited' && record.run !== begun;
        if (!isFolded) this.#sendEntry(seq, record);
      }
    }
  }

  #sendEntry(position: number, entry: LogEntry): void {
    if (entry.type === 'run.cancel_requested') return;
    const { feed, now } = this.#deps;
    const { options } = this.#watch;
    const { dialect, cursors, place } = options;
    const queued = this.#queued;
    const cursor = cursors ? encodeCursor(feed.conversation, this.position) : null;
    const { room, session } = place;
    options.send(dialect.encodePlaceEvent(entry, { room, session, cursor, position, queued, atMs: now() }));
  }

  #sendEnd(seq: number, record: Extract<TranscriptEntry['record'], { role: 'assistant' }>): void {
    const { feed, now } = this.#deps;
    const end = runEndOf(record);
    // Its last event may still be on its way: it must not be told once more.
    feed.runs.get(record.run)?.finish(end, seq);
    const before = this.position.run === record.run ? this.position : START;
    const view = new RunView();
    const started: RunStarted | null = record.asked === undefined ? null : startedOf(record.asked);
    const events = started === null ? [] : [started];
    view.apply(
      { n: 1, claim: 1, events: [...events, { type: 'text.delta', at: 0, text: record.text }] },
      IGNORE,
    );
    view.finish(end, IGNORE);
    // Of its other events only the first is in the record.
    const marks = before.marks === 0 ? 0 : view.marks;
    const from = { ...this.position, run: record.run, at: before.at, marks };
    sendRun(this.#watch, feed, view, from, seq, now);
    this.position = { ...from, end: seq, at: record.text.length, marks: view.marks };
  }
}

const IGNORE = () => undefined;

function startedOf(asked: { id: string; sub: string; name: string | null; at: number }): RunStarted {
  const { id: messageId, sub, name, at: askedAt } = asked;
  return { type: 'run.started', messageId, sub, name, text: '', askedAt };
}
