/** Puts questions straight into TURNS, and waits for the answers in MESSAGES. */
import { AssistantMessage, conversationKey, SUBJECTS, type Turn } from '@natter/proto';
import type { Bus } from '@natter/runtime';
import type { NatsServer } from '@natter/testkit';
import { connectAsGateway } from './gateway-bus.ts';

export interface Answers {
  /** Characters of all answers. */
  chars: number;
}

/** Where MESSAGES republishes the answers of all runs; tokens have subjects of their own. */
const ANSWERS = SUBJECTS.message('*', '*', 'assistant').replace(/^msg/, 'ev.out');

const decoder = new TextDecoder();

export class Turns {
  readonly #bus: Bus;
  #asked = 0;
  #waiting: { left: number; chars: number; resolve(): void; reject(error: Error): void } | null = null;

  static async connect(nats: NatsServer): Promise<Turns> {
    return new Turns(await connectAsGateway(nats));
  }

  private constructor(bus: Bus) {
    this.#bus = bus;
    bus.subscribe(ANSWERS, ({ data }) => this.#take(data));
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
    const message = AssistantMessage.parse(JSON.parse(decoder.decode(data)));
    if (this.#waiting === null) return;
    if (message.status !== 'completed') return this.#waiting.reject(new Error('a run failed'));
    this.#waiting.chars += message.text.length;
    this.#waiting.left -= 1;
    if (this.#waiting.left === 0) this.#waiting.resolve();
  }
}
