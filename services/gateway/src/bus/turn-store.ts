/** Stores questions in TURNS, and looks which are unanswered. */
import { type ErrorCode, STREAMS, SUBJECTS, Turn } from '@natter/proto';
import { type Bus, BusError, isBusError } from '@natter/runtime';
import type { TranscriptReader } from './transcript-reader.ts';

const decoder = new TextDecoder();

export class TurnStore {
  readonly #bus: Bus;
  readonly #reader: TranscriptReader;
  readonly #timeoutMs: number;

  constructor(bus: Bus, reader: TranscriptReader, timeoutMs: number) {
    this.#bus = bus;
    this.#reader = reader;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Returns once the broker has the question on disk; `duplicate` when it had it before.
   *
   * Throws BusError when it was not stored: UNAVAILABLE after the time limit, SUBJECT_FULL
   * when the conversation has too many unanswered questions, REFUSED when TURNS is full.
   */
  async store(turn: Turn, traceparent: string): Promise<{ duplicate: boolean }> {
    return this.#append(turn, traceparent);
  }

  /** Stores a question unless another one of its conversation is unanswered: then false. */
  async storeIfIdle(turn: Turn, traceparent: string): Promise<{ duplicate: boolean } | false> {
    let expectLast = 0;
    for (;;) {
      try {
        return await this.#append(turn, traceparent, expectLast);
      } catch (error) {
        if (!isBusError(error, 'CONFLICT')) throw error;
      }
      const last = await this.#bus.stored.last(STREAMS.turns, SUBJECTS.turn(turn.conversation));
      const earlier = last === null ? null : Turn.parse(JSON.parse(decoder.decode(last.data)));
      // Ours already: the acknowledgement of a first try was lost, or it was sent twice.
      if (earlier?.run === turn.run) return { duplicate: true };
      // An answered one is there until its agent has acknowledged it, a few milliseconds later.
      if (earlier !== null && (await this.#reader.runEnd(turn.conversation, earlier.run)) === null)
        return false;
      if (last?.seq === expectLast) throw new BusError('UNAVAILABLE', 'a replica of TURNS lags behind');
      expectLast = last?.seq ?? 0;
    }
  }

  /** Questions of a conversation that are stored and not acknowledged, oldest first. */
  async waiting(conversation: string): Promise<Turn[]> {
    const stored = await this.#bus.stored.all(STREAMS.turns, SUBJECTS.turn(conversation));
    return stored.flatMap(({ data }) => {
      const turn = Turn.safeParse(JSON.parse(decoder.decode(data)));
      return turn.success ? [turn.data] : [];
    });
  }

  #append(turn: Turn, traceparent: string, expectLast?: number): Promise<{ duplicate: boolean }> {
    return this.#bus.append(SUBJECTS.turn(turn.conversation), JSON.stringify(turn), {
      id: turn.run,
      traceparent,
      timeoutMs: this.#timeoutMs,
      ...(expectLast === undefined ? {} : { expectLast }),
    });
  }
}

/** What a client is told when something could not be stored. */
export function storeErrorCode(error: unknown): ErrorCode {
  if (!(error instanceof BusError)) return 'INTERNAL';
  return error.code === 'SUBJECT_FULL' ? 'TOO_MANY_TURNS' : 'UNAVAILABLE';
}
