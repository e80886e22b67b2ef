/** A run in a room, published as an agent does, but with a text of our own. */
import { randomBytes } from 'node:crypto';
import { type RunBatch, type RunEvent, SUBJECTS } from '@natter/proto';
import type { Bus } from '@natter/runtime';

/** Base32 without what looks alike; `RunId` wants 26 of `[a-z0-9]`. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';

export class RoomRun {
  readonly #bus: Bus;
  readonly #subject: string;
  #n = 0;
  #seq = 0;
  #text = '';

  /** `bus` may do what an agent may. */
  constructor(bus: Bus, conversation: string) {
    this.#bus = bus;
    const run = [...randomBytes(26)].map((byte) => ALPHABET[byte & 31]).join('');
    this.#subject = SUBJECTS.runEvents(conversation, run);
  }

  /** Resolves when EVENTS has it. */
  begin(): Promise<void> {
    const asked = { messageId: 'bench', sub: 'bench-0', name: null, text: 'Say something.' };
    return this.#publish({ type: 'run.started', ...asked, askedAt: Date.now() });
  }

  /** One batch with this text; one is in flight, as an agent has it. */
  async say(text: string): Promise<void> {
    await this.#publish(this.#delta(text));
  }

  /** Batches with this text, all in flight at once, as those of many runs would be. */
  async sayAtOnce(text: string, times: number): Promise<void> {
    const batches = Array.from({ length: times }, () => this.#batch(this.#delta(text)));
    const stored = await Promise.all(
      batches.map((batch) => this.#bus.append(this.#subject, JSON.stringify(batch))),
    );
    this.#seq = stored.at(-1)?.seq ?? this.#seq;
  }

  end(): Promise<void> {
    const metadata = { agent: 'bench', confidence: 1, sources: [], model: 'bench', usage: null };
    return this.#publish({ type: 'run.completed', text: this.#text, metadata });
  }

  #delta(text: string): RunEvent {
    const at = this.#text.length;
    this.#text += text;
    return { type: 'text.delta', at, text };
  }

  #batch(event: RunEvent): RunBatch {
    this.#n += 1;
    return { n: this.#n, claim: 1, events: [event] };
  }

  async #publish(event: RunEvent): Promise<void> {
    const batch = JSON.stringify(this.#batch(event));
    const { seq } = await this.#bus.append(this.#subject, batch, { expectLast: this.#seq });
    this.#seq = seq;
  }
}
