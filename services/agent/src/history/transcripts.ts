/** Transcripts in MESSAGES: what was said, and how each run ended. */
import { AssistantMessage, STREAMS, SUBJECTS, TranscriptMessage, type Turn } from '@natter/proto';
import { type Bus, isBusError, type Logger } from '@natter/runtime';
import { storedJson } from '../stored-json.ts';

/** Messages read of one conversation: two for each of the turns a model is shown, and some. */
const MESSAGES_LIMIT = 64;

export class Transcripts {
  readonly #bus: Bus;
  readonly #log: Logger;

  constructor(bus: Bus, log: Logger) {
    this.#bus = bus;
    this.#log = log;
  }

  /** Stores the question, once; returns its sequence. */
  async addQuestion(turn: Turn): Promise<number> {
    const message: TranscriptMessage = {
      role: 'user',
      run: turn.run,
      id: turn.messageId,
      sub: turn.sub,
      text: turn.text,
      at: turn.askedAt,
    };
    const { seq } = await this.#addOnce(SUBJECTS.message(turn.conversation, turn.run, 'user'), message);
    return seq;
  }

  /** How the run ended, or null while it hasn't. */
  async findEnd(turn: Turn): Promise<AssistantMessage | null> {
    const subject = SUBJECTS.message(turn.conversation, turn.run, 'assistant');
    const stored = await this.#bus.stored.last(STREAMS.messages, subject);
    return stored === null ? null : endOf(turn, stored.data);
  }

  /**
   * Stores how the run ended. The first one wins: returns what is stored, which is the
   * argument unless another attempt of the run has ended it before.
   */
  async addEnd(turn: Turn, message: AssistantMessage, timeoutMs: number): Promise<AssistantMessage> {
    const subject = SUBJECTS.message(turn.conversation, turn.run, 'assistant');
    const { data } = await this.#addOnce(subject, message, timeoutMs);
    return data === null ? message : endOf(turn, data);
  }

  /** What was said from a sequence on, without the question of `turn`, oldest first. */
  async read(turn: Turn, fromSeq: number | undefined): Promise<TranscriptMessage[]> {
    if (fromSeq === undefined) return [];
    const filter = SUBJECTS.conversationMessages(turn.conversation);
    const stored = await this.#bus.stored.from(STREAMS.messages, filter, fromSeq, MESSAGES_LIMIT);
    return stored.flatMap(({ data, seq }) => {
      const message = TranscriptMessage.safeParse(storedJson(data));
      if (message.success) return message.data.run === turn.run ? [] : [message.data];
      // One message of another version must not end the conversation.
      this.#log.error({ err: message.error, seq }, 'a message could not be read');
      return [];
    });
  }

  /** Stores the only message of a subject; `data` is the one that was there before, or null. */
  async #addOnce(
    subject: string,
    message: TranscriptMessage,
    timeoutMs = 30_000,
  ): Promise<{ seq: number; data: Uint8Array | null }> {
    try {
      const { seq } = await this.#bus.append(subject, JSON.stringify(message), {
        expectLast: 0,
        timeoutMs,
      });
      return { seq, data: null };
    } catch (error) {
      if (!isBusError(error, 'CONFLICT')) throw error;
      const stored = await this.#bus.stored.last(STREAMS.messages, subject);
      if (stored === null) throw error;
      return stored;
    }
  }
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
