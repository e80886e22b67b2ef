/** Stores questions in TURNS. */
import { type ErrorCode, SUBJECTS, type Turn } from '@natter/proto';
import { type Bus, BusError } from '@natter/runtime';

export class TurnStore {
  readonly #bus: Bus;
  readonly #timeoutMs: number;

  constructor(bus: Bus, timeoutMs: number) {
    this.#bus = bus;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Returns once the broker has the question on disk; `duplicate` when it had it before.
   *
   * Throws BusError when it was not stored: UNAVAILABLE after the time limit, SUBJECT_FULL
   * when the conversation has too many unanswered questions, REFUSED when TURNS is full.
   */
  async store(turn: Turn, traceparent: string): Promise<{ duplicate: boolean }> {
    return this.#bus.append(SUBJECTS.turn(turn.conversation), JSON.stringify(turn), {
      id: turn.run,
      traceparent,
      timeoutMs: this.#timeoutMs,
    });
  }
}

/** What a client is told when `store` threw. */
export function storeErrorCode(error: unknown): ErrorCode {
  if (!(error instanceof BusError)) return 'INTERNAL';
  return error.code === 'SUBJECT_FULL' ? 'TOO_MANY_TURNS' : 'UNAVAILABLE';
}
