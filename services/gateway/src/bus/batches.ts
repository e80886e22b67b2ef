/**
 * Puts into one request what many ask at about the same time.
 *
 * Who asks alone is sent on at once. While a request is under way, others wait for its answer, for
 * 5 ms at most: a storm of arrivals makes few large requests, and costs everybody less.
 */

export interface BatchOptions<Ask, Answer> {
  /** Returns as many answers as there were asks, in their order. */
  send(asks: readonly Ask[]): Promise<readonly Answer[]>;
  /** Asks of one request. */
  maxAsks: number;
  /** Bytes of one request, counted by `bytesOf`; a larger ask goes alone. */
  maxBytes: number;
  bytesOf(ask: Ask): number;
}

interface Waiting<Ask, Answer> {
  ask: Ask;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** Long beside what a request takes on the bus, short beside what anybody notices. */
const LINGER_MS = 5;

export class Batches<Ask, Answer> {
  readonly #options: BatchOptions<Ask, Answer>;
  /** At most one batch: a full one goes at once. */
  #waiting: Waiting<Ask, Answer>[] = [];
  #bytes = 0;
  #underWay = 0;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BatchOptions<Ask, Answer>) {
    this.#options = options;
  }

  /** Rejects with whatever `send` rejects with, for all of its batch. */
  ask(ask: Ask): Promise<Answer> {
    const { maxAsks, maxBytes, bytesOf } = this.#options;
    const bytes = bytesOf(ask);
    if (this.#bytes + bytes > maxBytes) this.#flush();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ask, resolve, reject });
      this.#bytes += bytes;
      if (this.#waiting.length >= maxAsks) this.#flush();
      else if (this.#underWay > 0) this.#timer ??= setTimeout(() => this.#flush(), LINGER_MS);
      // Behind what else came in this turn of the event loop.
      else this.#immediate ??= setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#immediate = undefined;
    this.#timer = undefined;
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    this.#bytes = 0;
    void this.#send(batch);
  }

  async #send(batch: Waiting<Ask, Answer>[]): Promise<void> {
    this.#underWay += 1;
    try {
      const answers = await this.#options.send(batch.map(({ ask }) => ask));
      if (answers.length !== batch.length) throw new Error(`${answers.length} answers to ${batch.length}`);
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as Answer);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#flush();
  }
}
