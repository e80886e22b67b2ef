/** One timer for all completions under way. */

export interface Paced {
  /** Sends what is due. */
  advance(now: number): void;
  /** When there is something to do next; Infinity while waiting for the client. */
  nextAt(): number;
}

export class Ticker {
  readonly #paced = new Set<Paced>();
  readonly #clock: () => number;
  #disarm: (() => void) | null = null;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock();
  }

  add(paced: Paced): void {
    this.#paced.add(paced);
    this.#arm(paced.nextAt());
  }

  remove(paced: Paced): void {
    this.#paced.delete(paced);
  }

  /** Says that `nextAt` has become earlier. */
  wake(paced: Paced): void {
    if (this.#paced.has(paced)) this.#arm(paced.nextAt());
  }

  stop(): void {
    this.#paced.clear();
    this.#disarm?.();
    this.#disarm = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #arm(at: number): void {
    if (at >= this.#armedFor) return;
    this.#disarm?.();
    this.#armedFor = at;
    const wait = at - this.#clock();
    if (wait <= 0) {
      const immediate = setImmediate(() => this.#tick());
      this.#disarm = () => clearImmediate(immediate);
    } else {
      // Node's timers count whole milliseconds: many streams then share one wake-up per millisecond.
      const timer = setTimeout(() => this.#tick(), Math.ceil(wait));
      this.#disarm = () => clearTimeout(timer);
    }
  }

  /** Looks at every stream: 200 streams a thousand times a second cost about 1% of a core. */
  #tick(): void {
    this.#disarm = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = this.#clock();
    let next = Number.POSITIVE_INFINITY;
    for (const paced of this.#paced) {
      if (paced.nextAt() <= now) paced.advance(now);
      if (this.#paced.has(paced)) next = Math.min(next, paced.nextAt());
    }
    if (next < Number.POSITIVE_INFINITY) this.#arm(next);
  }
}
