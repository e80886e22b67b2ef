/** Waits until this gateway has heard what a reader was told by another one. */
import { BusError } from '@natter/runtime';
import type { ConversationFeed } from './conversation-feed.ts';
import type { Position } from './cursor.ts';
import type { TranscriptReader } from './transcript-reader.ts';

/** Two gateways are milliseconds apart; agents publish anew within seconds of a broker's return. */
const LOOKS = 100;
const LOOK_EVERY_MS = 20;
/** Looks, 100 ms, after which it is asked whether what the cursor says exists at all. */
const DOUBT_AT = 5;
/** The look at which it is asked whether there is an entry to wait for. */
const ASK_AT = 2;
/** Looks after which the run is read from the broker again. */
const REPAIR_EVERY = 10;

/**
 * Resolves when whatever comes next is new to the reader, or when that can't be known.
 *
 * Without it a reader that is ahead of this gateway would be told once more what they have, as soon
 * as the gateway hears of it. Throws BusError when the gateway stays behind in the run.
 */
export async function reachCursor(
  since: Position,
  { feed, reader }: { feed: ConversationFeed; reader: TranscriptReader },
): Promise<void> {
  let { log } = since;
  for (let look = 1; look <= LOOKS; look += 1) {
    const run = feed.runs.get(since.run);
    if (feed.position.log >= log && (await hasEnds(since, feed, reader))) {
      if (run === undefined ? await isOver(since, feed, reader) : hasRun(run.view, since)) return;
    }
    if (look === ASK_AT && !(await hasEntryUpTo(log, feed))) log = 0;
    if (look === DOUBT_AT && !(await isPossible(since, feed, reader))) return;
    if (look % REPAIR_EVERY === 0) await run?.repair();
    else await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  const view = feed.runs.get(since.run)?.view;
  if (view?.end === null && view.text.length < since.at)
    throw new BusError('UNAVAILABLE', 'the run is not known as far as the cursor says');
}

/** False for a cursor that nobody here made, or of what is gone: waiting for it would be of no use. */
async function isPossible(
  { log, end, run }: Position,
  feed: ConversationFeed,
  reader: TranscriptReader,
): Promise<boolean> {
  const { conversation } = feed;
  if (Math.max(log, end) > (await reader.lastSeq(conversation))) return false;
  return run === '' || feed.runs.has(run) || reader.knowsRun(conversation, run);
}

/**
 * Whether the log has an entry behind this gateway's, up to a sequence; true while nobody knows.
 *
 * A gateway that began to watch later counts from the end of a run, where there was no entry.
 */
async function hasEntryUpTo(log: number, { position, missed }: ConversationFeed): Promise<boolean> {
  if (position.log >= log) return false;
  const { entries, upTo } = await missed.since(position.log);
  return upTo < log || entries.some(({ seq, record }) => seq <= log && !('role' in record));
}

/** A gateway that began to watch later counts from a later sequence: only ends of runs matter. */
async function hasEnds(
  { end }: Position,
  feed: ConversationFeed,
  reader: TranscriptReader,
): Promise<boolean> {
  if (feed.position.end >= end) return true;
  for (const { run } of feed.openRuns) {
    const over = await reader.runEndSeq(feed.conversation, run);
    if (over !== null && over <= end) return false;
  }
  return true;
}

function hasRun(
  view: { text: string; marks: number; end: unknown },
  { at, marks }: Pick<Position, 'at' | 'marks'>,
): boolean {
  return view.end !== null || (view.text.length >= at && view.marks >= marks);
}

/** A run that isn't under way here has ended, or nothing was heard of it, or of its end, yet. */
async function isOver({ run }: Position, feed: ConversationFeed, reader: TranscriptReader): Promise<boolean> {
  if (run === '') return true;
  const over = await reader.runEndSeq(feed.conversation, run);
  return over !== null && over <= feed.position.end;
}
