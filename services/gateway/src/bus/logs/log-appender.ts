/** Stores lines that came by HTTP in LOGS, so many at once. */
import { randomUUID } from 'node:crypto';
import { type Bus, BusError, isBusError, type Logger } from '@natter/runtime';
import { Gate } from '../gate.ts';

/** Appends under way, of all requests together. */
const AT_ONCE = 64;
/** From when a line was given, not from when its turn has come: a batch is no slower than a line. */
const TIMEOUT_MS = 5_000;

/** Why a line was not stored: the broker was away for 5 s, or takes no such line. */
export type AppendRefusal = 'UNAVAILABLE' | 'INVALID_LOG_LINE';

export class LogAppender {
  readonly #bus: Pick<Bus, 'append'>;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #gate = new Gate(AT_ONCE);
  /** Said once, until a line is stored again: a thousand of ours would follow a thousand of somebody else. */
  #failing = false;

  constructor(bus: Pick<Bus, 'append'>, log: Logger, now: () => number) {
    this.#bus = bus;
    this.#log = log;
    this.#now = now;
  }

  /** Null once the broker has the line, else why it hasn't; never rejects. */
  async append(line: { subject: string; data: string }): Promise<AppendRefusal | null> {
    const deadlineMs = this.#now() + TIMEOUT_MS;
    let refusal: AppendRefusal | null = null;
    await this.#gate.run(async () => {
      refusal = await this.#store(line, deadlineMs - this.#now());
    });
    return refusal;
  }

  async #store({ subject, data }: { subject: string; data: string }, timeoutMs: number) {
    try {
      if (timeoutMs <= 0) throw new BusError('UNAVAILABLE', 'lines before it took all the time');
      await this.#bus.append(subject, data, { id: randomUUID(), timeoutMs });
      this.#failing = false;
      return null;
    } catch (err) {
      if (!this.#failing) this.#log.warn({ err }, 'lines of somebody else could not be stored');
      this.#failing = true;
      return isBusError(err, 'UNAVAILABLE') ? 'UNAVAILABLE' : 'INVALID_LOG_LINE';
    }
  }
}
