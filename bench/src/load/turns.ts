/** Puts questions straight into TURNS, and waits for the ends of their runs. */
import { conversationKey, RunBatch, SUBJECTS, type Turn } from '@natter/proto';
import type { Bus } from '@natter/runtime';
import type { NatsServer } from '@natter/testkit';
import { connectAs } from './service-bus.ts';

export interface Answers {
  /** Characters of all answers. */
  chars: number;
}

/** An end is published by itself: it stands behind the head of its batch, which is this long at most. */
const HEAD_BYTES = 80;

const decoder = new TextDecoder();

export class Turns {
  readonly #bus: Bus;
  #asked = 0;
  #waiting: { left: number; chars: number; resolve(): void; reject(error: Error): void } | null = null;

  static async connect(nats: NatsServer): Promise<Turns> {
    return new Turns(await connectAs('gateway', nats));
  }

  private constructor(bus: Bus) {
    this.#bus = bus;
    bus.subscribe(SUBJECTS.conversationRunsOut('*'), ({ data }) => this.#take(data));
  }

  /** Asks `count` people's questions at once; resolves when all are answered, rejects after `timeoutMs`. */
  async ask(count: number, timeoutMs: number): Promise<Answers> {
    let timer: NodeJS.Timeout | undefined;
    const waiting = { left: count, chars: 0, resolve: () => {}, reject: (_error: Error) => {} };
    const answered = new Promise<void>((resolve, reject) => {
      Object.assign(waiting, { resolve, reject });
      timer = setTimeout(() => reject(new Error(`not all answered after ${timeoutMs} ms`)), timeoutMs);
    });
    this.#waiting = waiting;
    try {
      const stored = Promise.all(Array.from({ length: count }, () => this.#store()));
      await Promise.all([stored, answered]);
      return { chars: waiting.chars };
    } finally {
      clearTimeout(timer);
      this.#waiting = null;
    }
  }

  close(): Promise<void> {
    return this.#bus.close();
  }

  async #store(): Promise<void> {
    const number = this.#asked++;
    const sub = `asker-${number}`;
    const conversation = conversationKey(sub, 'bench');
    const turn: Turn = {
      run: number.toString(36).padStart(26, '0'),
      conversation,
      sub,
      messageId: `message-${number}`,
      text: 'What is the engine power?',
      customerId: null,
      askedAt: Date.now(),
    };
    await this.#bus.append(SUBJECTS.turn(conversation), JSON.stringify(turn), { id: turn.run });
  }

  #take(data: Uint8Array): void {
    // Most batches are text: parsing them all would cost the load its core.
    if (!/"run\.(completed|failed)"/.test(decoder.decode(data.subarray(0, HEAD_BYTES)))) return;
    if (this.#waiting === null) return;
    const end = RunBatch.parse(JSON.parse(decoder.decode(data))).events.at(-1);
    if (end?.type !== 'run.completed') return this.#waiting.reject(new Error('a run failed'));
    this.#waiting.chars += end.text.length;
    this.#waiting.left -= 1;
    if (this.#waiting.left === 0) this.#waiting.resolve();
  }
}
