/** Writes log lines as a program of somebody else does: straight over NATS, with a key of its own. */
import { SUBJECTS } from '@natter/proto';
import type { Bus } from '@natter/runtime';
import { inFlight } from './in-flight.ts';

/** Appends that wait for the broker at once; publishing without waiting would lose lines. */
const UNDER_WAY = 64;
const CATEGORY = 'load';

/** A text of `chars` characters, a multiple of 8, with the mark once. */
export function lineText(chars: number, mark: string): string {
  return mark + 'line 01 '.repeat(chars / 8).slice(1);
}

export class LogLines {
  readonly #bus: Bus;
  readonly #service: string;
  #written = 0;

  constructor(bus: Bus, service: string) {
    this.#bus = bus;
    this.#service = service;
  }

  /** Resolves when the broker has them: texts of `chars` characters, a multiple of 8, with the mark once. */
  async write(count: number, chars: number, mark: string): Promise<void> {
    const subject = SUBJECTS.log(this.#service, 'info', CATEGORY);
    const msg = lineText(chars, mark);
    await inFlight(count, UNDER_WAY, async () => {
      const id = `bench-${this.#written++}`;
      const time = new Date().toISOString();
      const line = { level: 'info', time, service: this.#service, category: CATEGORY, msg };
      await this.#bus.append(subject, JSON.stringify(line), { id });
    });
  }
}
