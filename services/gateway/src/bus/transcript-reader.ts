/** Reads conversations back from MESSAGES and EVENTS. */
import {
  AssistantMessage,
  RunBatch,
  runOfSubject,
  STREAMS,
  SUBJECTS,
  TranscriptRecord,
  Turn,
} from '@natter/proto';
import type { Bus, Logger, Stored, StreamState } from '@natter/runtime';
import { Recent } from './recent.ts';

/** A record with its sequence in MESSAGES. */
export interface TranscriptEntry {
  seq: number;
  record: TranscriptRecord;
}

export interface StoredEnd {
  seq: number;
  message: AssistantMessage;
}

/** How long it is remembered where MESSAGES begins and ends. */
const STATE_MS = 1_000;
/** Runs whose end is remembered, at about 150 bytes each: all who come back to a room ask for one. */
const ENDS_LIMIT = 10_000;

const decoder = new TextDecoder();

export class TranscriptReader {
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #now: () => number;
  #state: StreamState | null = null;
  #stateAtMs = 0;
  #reading: Promise<StreamState> | null = null;
  /** Sequences of the ends of runs; an end stays what it is. */
  readonly #ends = new Recent<number>(ENDS_LIMIT);
  /** By run; as many as those who wait for one. */
  readonly #asking = new Map<string, Promise<number | null>>();

  constructor(bus: Bus, log: Logger, now: () => number) {
    this.#bus = bus;
    this.#log = log;
    this.#now = now;
  }

  /** Sequence of the newest record of a conversation; 0 when there is none. */
  async lastSeq(conversation: string): Promise<number> {
    const newest = await this.#bus.stored.newest(
      STREAMS.messages,
      SUBJECTS.conversationMessages(conversation),
    );
    return newest?.seq ?? 0;
  }

  /** At most `limit` records behind a sequence, oldest first; `upTo` is where the next look begins. */
  async since(
    conversation: string,
    seq: number,
    limit: number,
  ): Promise<{ entries: TranscriptEntry[]; upTo: number }> {
    const filter = SUBJECTS.conversationMessages(conversation);
    const stored = await this.#bus.stored.from(STREAMS.messages, filter, seq + 1, limit);
    return { entries: stored.flatMap((one) => this.#entryOf(one)), upTo: stored.at(-1)?.seq ?? seq };
  }

  /** Whether MESSAGES still has everything behind a sequence, and ever had the message with it. */
  async reachesBackTo(seq: number): Promise<boolean> {
    // Remembered for a moment: in a reconnect storm everybody asks.
    if (this.#state === null || this.#now() - this.#stateAtMs > STATE_MS) await this.#readState();
    if (this.#state !== null && seq > this.#state.lastSeq) await this.#readState();
    const { firstSeq = 1, lastSeq = 0 } = this.#state ?? {};
    return seq + 1 >= firstSeq && seq <= lastSeq;
  }

  async #readState(): Promise<void> {
    this.#reading ??= this.#bus.streamState(STREAMS.messages).finally(() => {
      this.#reading = null;
    });
    this.#state = await this.#reading;
    this.#stateAtMs = this.#now();
  }

  /** Whether a question of a conversation is unanswered. */
  async hasUnanswered(conversation: string): Promise<boolean> {
    return (await this.#bus.stored.last(STREAMS.turns, SUBJECTS.turn(conversation))) !== null;
  }

  /** Whether anything is known of a run: of how it goes, how it ended, or that it waits. */
  async knowsRun(conversation: string, run: string): Promise<boolean> {
    const { stored } = this.#bus;
    if ((await stored.last(STREAMS.events, SUBJECTS.runEvents(conversation, run))) !== null) return true;
    for (const { data } of await stored.all(STREAMS.turns, SUBJECTS.turn(conversation))) {
      const turn = Turn.safeParse(JSON.parse(decoder.decode(data)));
      if (turn.success && turn.data.run === run) return true;
    }
    // Last: its turn is gone only once this is there.
    return (await stored.last(STREAMS.messages, SUBJECTS.runEnd(conversation, run))) !== null;
  }

  /** How a run ended, or null while it hasn't. */
  async runEnd(conversation: string, run: string): Promise<StoredEnd | null> {
    const stored = await this.#bus.stored.last(STREAMS.messages, SUBJECTS.runEnd(conversation, run));
    if (stored === null) return null;
    return { seq: stored.seq, message: AssistantMessage.parse(JSON.parse(decoder.decode(stored.data))) };
  }

  /** Sequence of the record of a run's end, or null while it hasn't ended. */
  runEndSeq(conversation: string, run: string): Promise<number | null> {
    const key = `${conversation}|${run}`;
    const known = this.#ends.get(key);
    if (known !== undefined) return Promise.resolve(known);
    const asking = this.#asking.get(key) ?? this.#askEndSeq(key, conversation, run);
    this.#asking.set(key, asking);
    return asking;
  }

  async #askEndSeq(key: string, conversation: string, run: string): Promise<number | null> {
    try {
      const stored = await this.#bus.stored.last(STREAMS.messages, SUBJECTS.runEnd(conversation, run));
      if (stored !== null) this.#ends.set(key, stored.seq);
      return stored?.seq ?? null;
    } finally {
      this.#asking.delete(key);
    }
  }

  /** What EVENTS keeps of a run, oldest first; batches that can't be read are left out. */
  async runBatches(conversation: string, run: string): Promise<RunBatch[]> {
    const stored = await this.#bus.stored.all(STREAMS.events, SUBJECTS.runEvents(conversation, run));
    return stored.flatMap(({ data, seq }) => {
      try {
        return [RunBatch.parse(JSON.parse(decoder.decode(data)))];
      } catch (err) {
        // One that can't be read must not hide the others.
        this.#log.error({ err, run, seq }, 'a stored batch could not be read');
        return [];
      }
    });
  }

  /** Runs that EVENTS knows of and that have not ended there, in the order of their last event. */
  async openRuns(conversation: string): Promise<string[]> {
    const last = await this.#bus.stored.lastOfEach(STREAMS.events, SUBJECTS.conversationRuns(conversation));
    return last.flatMap(({ subject, data }) => {
      return endsRun(data) ? [] : [runOfSubject(subject)];
    });
  }

  #entryOf({ seq, data }: Stored): TranscriptEntry[] {
    try {
      return [{ seq, record: TranscriptRecord.parse(JSON.parse(decoder.decode(data))) }];
    } catch (err) {
      this.#log.error({ err, seq }, 'a message could not be read');
      return [];
    }
  }
}

const ENDS: ReadonlySet<string> = new Set(['run.completed', 'run.failed', 'run.cancelled']);

/** False for what can't be read: the run is looked at, and its record tells whether it has ended. */
function endsRun(data: Uint8Array): boolean {
  try {
    const batch = RunBatch.safeParse(JSON.parse(decoder.decode(data)));
    return batch.success && batch.data.events.some(({ type }) => ENDS.has(type));
  } catch {
    return false;
  }
}
