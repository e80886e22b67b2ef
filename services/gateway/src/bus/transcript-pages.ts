/**
 * Reads transcripts from MESSAGES backwards, a page at a time.
 *
 * A stream is only read forwards, so the start of a page is looked for: each message read tells
 * how many of its conversation follow (Nats-Num-Pending, NATS ADR-31).
 */
import {
  foldTranscript,
  LogEntry,
  STREAMS,
  SUBJECTS,
  type TranscriptMessage,
  TranscriptRecord,
} from '@natter/proto';
import type { Bus, Logger, Stored } from '@natter/runtime';
import { Gate } from './gate.ts';

export interface Page {
  /** Oldest first. */
  messages: TranscriptMessage[];
  /** Pass it as `before` for the page that precedes this one; null when there is none. */
  next: number | null;
}

/**
 * Newest records of a conversation that can be read: what follows a page must be read as well, as
 * a message of it may have been deleted since. At about 1 ms for 100 records.
 */
export const READABLE_RECORDS = 20_000;
const READ_AT_ONCE = 1_000;
/** Entries of a log among which `recent` looks, at least; at most twice as many. */
const RECENT_ENTRIES = 1_000;
/** Logs looked through at once on this gateway: anybody may ask for a message that is not there. */
const LOOKS_AT_ONCE = 4;

const decoder = new TextDecoder();

export class TranscriptPages {
  readonly #stored: Pick<Bus['stored'], 'from' | 'newest'>;
  readonly #log: Logger;
  readonly #looks = new Gate(LOOKS_AT_ONCE);

  constructor(stored: Pick<Bus['stored'], 'from' | 'newest'>, log: Logger) {
    this.#stored = stored;
    this.#log = log;
  }

  /** When something was said last, in milliseconds since 1970; null where nothing was. */
  async lastActivity(key: string): Promise<number | null> {
    const newest = await this.#stored.newest(STREAMS.messages, SUBJECTS.conversationMessages(key));
    return newest?.timeMs ?? null;
  }

  /** The last `limit` messages before a position, or of all. */
  async page(key: string, { limit, before }: { limit: number; before: number | null }): Promise<Page> {
    const filter = SUBJECTS.conversationMessages(key);
    const behind = before === null ? 0 : (await this.#next(filter, before)).count;
    // Some records are receipts and edits, so more of them may be needed than messages.
    for (let records = limit * 2; behind < READABLE_RECORDS; records *= 4) {
      const enough = Math.min(behind + records, READABLE_RECORDS);
      const start = await this.#startOf(filter, enough, before);
      const folded = await this.#fold(filter, start.seq, before);
      if (folded.length < limit && !start.first && enough < READABLE_RECORDS) continue;
      const messages = folded.slice(-limit);
      if (before !== null) await this.#applyLater(key, messages, before);
      const older = folded.length > limit || (!start.first && enough < READABLE_RECORDS);
      return { messages, next: older ? (messages[0]?.seq ?? null) : null };
    }
    return { messages: [], next: null };
  }

  /**
   * People's messages among the newest 1,000 to 2,000 entries of a log, oldest first.
   *
   * Edits, deletions, receipts and cancels are entries too; answers are not read.
   */
  async recent(key: string): Promise<TranscriptMessage[]> {
    const filter = SUBJECTS.conversationLog(key);
    let found: TranscriptMessage[] = [];
    await this.#looks.run(async () => {
      const start = await this.#startOf(filter, RECENT_ENTRIES, null);
      found = await this.#fold(filter, start.seq, null);
    });
    return found;
  }

  /** The first record from a sequence on, and how many there are from it to the end. */
  async #next(filter: string, seq: number): Promise<{ seq: number; count: number }> {
    const [found] = await this.#stored.from(STREAMS.messages, filter, seq, 1);
    if (found === undefined) return { seq, count: 0 };
    return { seq: found.seq, count: Number(found.header('Nats-Num-Pending') ?? 0) + 1 };
  }

  /** A sequence with at least `wanted` records to the end, twice as many at most; else the first one. */
  async #startOf(filter: string, wanted: number, before: number | null) {
    const first = await this.#next(filter, 1);
    if (first.count <= wanted) return { seq: first.seq, first: true };
    let low = first.seq;
    let high = before ?? (await this.#stored.newest(STREAMS.messages, filter))?.seq ?? low;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      const { seq, count } = await this.#next(filter, middle);
      if (count < wanted) high = middle;
      else if (count <= Math.min(wanted * 2, READABLE_RECORDS)) return { seq, first: false };
      else low = seq;
    }
    return { seq: low, first: false };
  }

  async #fold(filter: string, from: number, before: number | null): Promise<TranscriptMessage[]> {
    const records: { seq: number; record: TranscriptRecord }[] = [];
    await this.#each(filter, from, before, (stored) => {
      const record = TranscriptRecord.safeParse(parse(stored.data));
      if (record.success) records.push({ seq: stored.seq, record: record.data });
      else this.#log.error({ err: record.error, seq: stored.seq }, 'a message could not be read');
    });
    return foldTranscript(records);
  }

  /** Edits and deletions that came after the page, of messages that are in it. */
  async #applyLater(key: string, messages: TranscriptMessage[], from: number): Promise<void> {
    const said = new Map(messages.flatMap((m) => (m.role === 'user' ? [[m.run, m] as const] : [])));
    await this.#each(SUBJECTS.conversationLog(key), from, null, ({ data }) => {
      const { success, data: entry } = LogEntry.safeParse(parse(data));
      if (!success || entry.type === 'file.shared') return;
      const message = said.get(entry.run);
      if (message === undefined || message.deletedAt !== undefined) return;
      if (entry.type === 'message.edited') Object.assign(message, { text: entry.text, editedAt: entry.at });
      if (entry.type === 'message.deleted') Object.assign(message, { text: '', deletedAt: entry.at });
    });
  }

  /** Calls back for each record from a sequence on, up to another; no more than can be read. */
  async #each(filter: string, from: number, before: number | null, act: (stored: Stored) => void) {
    let read = 0;
    for (let seq = from; read < READABLE_RECORDS; ) {
      const page = await this.#stored.from(STREAMS.messages, filter, seq, READ_AT_ONCE);
      for (const stored of page) {
        if (before !== null && stored.seq >= before) return;
        act(stored);
      }
      const last = page.at(-1);
      // A page may have fewer than were asked for: the broker ends it at 64 MB.
      if (last === undefined || last.header('Nats-Num-Pending') === '0') return;
      read += page.length;
      seq = last.seq + 1;
    }
  }
}

/** Undefined for what is no JSON: the schema refuses it. */
function parse(data: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(data));
  } catch {
    return undefined;
  }
}
