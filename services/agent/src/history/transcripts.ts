/** Transcripts in MESSAGES: what people said, and how each run ended. */
import {
  AssistantMessage,
  foldTranscript,
  type MessagePosted,
  STREAMS,
  SUBJECTS,
  type TranscriptMessage,
  TranscriptRecord,
  type Turn,
} from '@natter/proto';
import { type Bus, isBusError, type Logger } from '@natter/runtime';
import { storedJson } from '../stored-json.ts';

/** Messages a model is shown where the client doesn't say how many. */
const CONTEXT_MESSAGES = 20;
/** Records of one read; a conversation between a person and an agent fits into one. */
const PAGE = 250;
/** Records read of one stretch of a conversation, edits and receipts included. */
const MAX_RECORDS = 4 * PAGE;
/** How far back from the question the newest messages of a busy room are looked for at first. */
const FIRST_SPAN = 512;

/** How a run ended, and where in MESSAGES that is written. */
export interface StoredEnd {
  message: AssistantMessage;
  seq: number;
}

interface StoredRecord {
  seq: number;
  record: TranscriptRecord;
}

export class Transcripts {
  readonly #bus: Bus;
  readonly #log: Logger;

  constructor(bus: Bus, log: Logger) {
    this.#bus = bus;
    this.#log = log;
  }

  /**
   * Stores the question and returns its sequence; once, also if a gateway has done so.
   *
   * Only a question that waited for longer than the dedupe window may be there twice, which
   * `foldTranscript` takes for one.
   */
  async addQuestion(turn: Turn): Promise<number> {
    const message: MessagePosted = {
      type: 'message.posted',
      run: turn.run,
      id: turn.messageId,
      sub: turn.sub,
      name: turn.name ?? null,
      text: turn.text,
      asks: true,
      at: turn.askedAt,
    };
    const { seq } = await this.#bus.append(
      SUBJECTS.conversationLog(turn.conversation),
      JSON.stringify(message),
      { id: `posted-${turn.run}`, timeoutMs: 30_000 },
    );
    return seq;
  }

  /** How the run ended, or null while it hasn't. */
  async findEnd(turn: Turn): Promise<StoredEnd | null> {
    const subject = SUBJECTS.runEnd(turn.conversation, turn.run);
    const stored = await this.#bus.stored.last(STREAMS.messages, subject);
    return stored === null ? null : { message: endOf(turn, stored.data), seq: stored.seq };
  }

  /**
   * Stores how the run ended. The first one wins: returns what is stored, which is the
   * argument unless another attempt of the run has ended it before.
   */
  async addEnd(turn: Turn, end: AssistantMessage, timeoutMs: number): Promise<StoredEnd> {
    const subject = SUBJECTS.runEnd(turn.conversation, turn.run);
    const { messageId: id, sub, name = null, askedAt: at } = turn;
    // Whoever reads the answer without its question knows whose it is.
    const message: AssistantMessage = { ...end, asked: { id, sub, name, at } };
    try {
      const { seq } = await this.#bus.append(subject, JSON.stringify(message), { expectLast: 0, timeoutMs });
      return { message, seq };
    } catch (error) {
      if (!isBusError(error, 'CONFLICT')) throw error;
      const stored = await this.#bus.stored.last(STREAMS.messages, subject);
      if (stored === null) throw error;
      return { message: endOf(turn, stored.data), seq: stored.seq };
    }
  }

  /**
   * The newest messages before a question as they are now, oldest first: edits applied, deleted
   * ones left out. Answers that ended since the question belong to it, later messages don't.
   *
   * `recent`: where in MESSAGES the newest turns begin; `questionSeq`: where the question is.
   */
  async read(turn: Turn, recent: readonly number[], questionSeq: number): Promise<TranscriptMessage[]> {
    const wanted = turn.options?.contextMessages ?? CONTEXT_MESSAGES;
    if (wanted === 0) return [];
    // Each turn has at least one message. Fewer turns: people may have talked before the first one.
    const from = recent.at(-wanted) ?? 1;
    let records = await this.#records(turn.conversation, from, PAGE);
    if (records.length === PAGE) records = await this.#newest(turn, from, questionSeq, wanted);
    return shown(turn, records, questionSeq).slice(-wanted);
  }

  /** The end of a conversation that is too long to be read from where its newest turns begin. */
  async #newest(turn: Turn, from: number, questionSeq: number, wanted: number): Promise<StoredRecord[]> {
    let records: StoredRecord[] = [];
    for (let span = FIRST_SPAN; ; span *= 4) {
      const start = Math.max(from, questionSeq - span);
      const longer = await this.#records(turn.conversation, start, MAX_RECORDS);
      // Cut at the wrong end: fewer messages than wanted are better than old ones.
      if (longer.length === MAX_RECORDS && records.length > 0) return records;
      records = longer;
      if (start === from || shown(turn, records, questionSeq).length >= wanted) return records;
    }
  }

  async #records(conversation: string, from: number, limit: number): Promise<StoredRecord[]> {
    const filter = SUBJECTS.conversationMessages(conversation);
    const found: StoredRecord[] = [];
    for (const { data, seq } of await this.#bus.stored.from(STREAMS.messages, filter, from, limit)) {
      const record = TranscriptRecord.safeParse(storedJson(data));
      if (record.success) found.push({ seq, record: record.data });
      // One message of another version must not end the conversation.
      else this.#log.error({ err: record.error, seq }, 'a message could not be read');
    }
    return found;
  }
}

/** What of the records a model is shown. */
function shown(turn: Turn, records: StoredRecord[], questionSeq: number): TranscriptMessage[] {
  return foldTranscript(records).filter(({ role, run, seq, text }) => {
    if (run === turn.run || text === '') return false;
    return role === 'assistant' || seq < questionSeq;
  });
}

/** How a run ended by its record; a record that can't be read still says that it is over. */
function endOf(turn: Turn, data: Uint8Array): AssistantMessage {
  const end = AssistantMessage.safeParse(storedJson(data));
  if (end.success) return end.data;
  return {
    role: 'assistant',
    status: 'failed',
    run: turn.run,
    text: '',
    code: 'PROCESSING_ERROR',
    correlationId: `unreadable-${turn.run}`,
    at: turn.askedAt,
  };
}
