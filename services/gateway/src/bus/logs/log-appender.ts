/** Stores lines that came by HTTP in LOGS, so many at once. */
import { randomUUID } from 'node:crypto';
import { type Bus, isBusError, type Logger } from '@natter/runtime';
import { Gate } from '../gate.ts';

/** Appends under way, of all requests together. */
const AT_ONCE = 64;

/** Why a line was not stored: the broker was away for 5 s, or takes no such line. */
export type AppendRefusal = 'UNAVAILABLE' | 'INVALID_LOG_LINE';

export class LogAppender {
  readonly #bus: Pick<Bus, 'append'>;
  readonly #log: Logger;
  readonly #gate = new Gate(AT_ONCE);

  constructor(bus: Pick<Bus, 'append'>, log: Logger) {
    this.#bus = bus;
    this.#log = log;
  }

  /** Null once the broker has the line, else why it hasn't; never rejects. */
  async append({ subject, data }: { subject: string; data: string }): Promise<AppendRefusal | null> {
    let refusal: AppendRefusal | null = null;
    await this.#gate.run(async () => {
      try {
        await this.#bus.append(subject, data, { id: randomUUID() });
      } catch (err) {
        this.#log.warn({ err }, 'a line of somebody else could not be stored');
        refusal = isBusError(err, 'UNAVAILABLE') ? 'UNAVAILABLE' : 'INVALID_LOG_LINE';
      }
    });
    return refusal;
  }
}
