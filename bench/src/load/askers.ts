/** People who ask, read the answer token by token, and ask again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMicros } from '../measure/clock.ts';
import { type ChatSocket, openChat } from './chat-socket.ts';
import { inFlight } from './in-flight.ts';
import { FRAME, kindOf, readStamps } from './token-frame.ts';

export interface AskerOptions {
  /** Part of the users' names: two loads on one stack must not share conversations. */
  name: string;
  port: number;
  count: number;
  /** The shared clock's time from which the model's stamps count. */
  epochMicros: number;
  /** An answer with another number of tokens is a failure. */
  tokensPerAnswer: number;
  token(sub: string): Promise<string>;
  /** Called before each question; the returned function when it was answered. */
  asked(index: number, sub: string, session: string): () => void;
}

interface Asker {
  index: number;
  sub: string;
  socket: ChatSocket;
  questions: number;
  /** Tokens of the answer so far. */
  tokens: number;
  answered: () => void;
}

/** Latencies kept between two collections: 200 streams × 50 tokens/s for half a minute. */
const MAX_SAMPLES = 300_000;
const QUESTION = 'What is the engine power?';

export class Askers {
  /** Answers that came whole. */
  answered = 0;
  /** Token frames; fewer than tokens where tokens were merged. */
  frames = 0;
  readonly #options: AskerOptions;
  readonly #askers: Asker[] = [];
  readonly #samples = new Float64Array(MAX_SAMPLES);
  #count = 0;
  #failure: Error | null = null;
  #stopped = false;

  /** Opens all connections; asks nothing yet. */
  static async connect(options: AskerOptions): Promise<Askers> {
    const askers = new Askers(options);
    await inFlight(options.count, 16, (index) => askers.#open(index));
    return askers;
  }

  private constructor(options: AskerOptions) {
    this.#options = options;
  }

  /** Everybody's first question, spread evenly. */
  async startSpread(overMs: number): Promise<void> {
    for (const asker of this.#askers) {
      this.#ask(asker);
      await sleep(overMs / this.#askers.length);
    }
  }

  /** Latencies of all tokens that arrive within this time, in microseconds; fails when a stream did. */
  async collect(ms: number): Promise<Float64Array> {
    this.#count = 0;
    await sleep(ms);
    if (this.#failure !== null) throw this.#failure;
    if (this.#count === MAX_SAMPLES) throw new Error('more tokens than samples are kept');
    return this.#samples.slice(0, this.#count);
  }

  stop(): void {
    this.#stopped = true;
    for (const { socket } of this.#askers) socket.drop();
  }

  async #open(index: number): Promise<void> {
    const sub = `${this.#options.name}-${index}`;
    const token = await this.#options.token(sub);
    let asker: Asker | null = null;
    const socket = await openChat({
      port: this.#options.port,
      token,
      onFrame: (payload) => asker !== null && this.#take(asker, payload),
      onLost: (why) => this.#fail(why),
    });
    asker = { index, sub, socket, questions: 0, tokens: 0, answered: () => undefined };
    this.#askers.push(asker);
  }

  /** Each question begins a conversation, so that all answers cost the same. */
  #ask(asker: Asker): void {
    if (this.#stopped) return;
    const session = `question-${asker.questions++}`;
    asker.tokens = 0;
    asker.answered = this.#options.asked(asker.index, asker.sub, session);
    asker.socket.ask(QUESTION, session);
  }

  #take(asker: Asker, payload: Buffer): void {
    const kind = kindOf(payload);
    if (kind === FRAME.token) {
      this.frames += 1;
      const now = monotonicMicros() - this.#options.epochMicros;
      readStamps(payload, (micros) => {
        asker.tokens += 1;
        if (this.#count < MAX_SAMPLES) this.#samples[this.#count++] = now - micros;
      });
    } else if (kind === FRAME.end) {
      if (asker.tokens !== this.#options.tokensPerAnswer)
        this.#fail(`an answer of ${asker.tokens} tokens, not ${this.#options.tokensPerAnswer}`);
      this.answered += 1;
      asker.answered();
      this.#ask(asker);
    } else if (kind === FRAME.failed) {
      this.#fail(payload.subarray(0, 300).toString());
    }
  }

  #fail(why: string): void {
    if (!this.#stopped) this.#failure ??= new Error(`a stream failed: ${why}`);
  }
}
