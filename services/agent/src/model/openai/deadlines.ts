/** The three clocks of one request: to the first token, between tokens, and for the whole. */
import { ModelError } from '../model-error.ts';

export interface DeadlineOptions {
  firstTokenMs: number;
  tokenMs: number;
  totalMs: number;
}

export class Deadlines {
  /** Aborted with a ModelError TIMEOUT, or with the reason of the caller's signal. */
  readonly signal: AbortSignal;
  readonly #options: DeadlineOptions;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #total: NodeJS.Timeout;
  readonly #cancelled = () => this.#controller.abort(this.#caller.reason);
  #idle: NodeJS.Timeout | undefined;
  /** What the idle timer waits for now. */
  #phase: 'first token' | 'next token' | 'end' | null = null;

  constructor(caller: AbortSignal, options: DeadlineOptions) {
    this.signal = this.#controller.signal;
    this.#caller = caller;
    this.#options = options;
    this.#total = this.#timer(options.totalMs, `no end after ${options.totalMs} ms`);
    caller.addEventListener('abort', this.#cancelled, { once: true });
  }

  waitForFirstToken(): void {
    this.#arm('first token', this.#options.firstTokenMs);
  }

  /** Called for each token: moves the timer, allocates nothing. */
  tokenArrived(): void {
    if (this.#phase === 'next token') this.#idle?.refresh();
    else this.#arm('next token', this.#options.tokenMs);
  }

  /** The reply is whole and only its token count is missing. */
  endWithin(ms: number): void {
    if (this.#phase !== 'end') this.#arm('end', ms);
  }

  /** Nothing is asked for the moment: only the clock for the whole goes on. */
  rest(): void {
    clearTimeout(this.#idle);
    this.#phase = null;
  }

  /** `ended`: the reply came to its end, so that there is no request to abort. */
  close(ended: boolean): void {
    clearTimeout(this.#total);
    clearTimeout(this.#idle);
    this.#caller.removeEventListener('abort', this.#cancelled);
    if (!ended) this.#controller.abort(new ModelError('CUT_OFF', 'the request is over'));
  }

  #arm(phase: 'first token' | 'next token' | 'end', ms: number): void {
    clearTimeout(this.#idle);
    this.#phase = phase;
    this.#idle = this.#timer(ms, `no ${phase} for ${ms} ms`);
  }

  #timer(ms: number, message: string): NodeJS.Timeout {
    return setTimeout(() => this.#controller.abort(new ModelError('TIMEOUT', message)), ms);
  }
}
