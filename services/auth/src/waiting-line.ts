/** Lets a bounded number of requests be worked on at once; the others wait in line for a while. */

export interface WaitingLineOptions {
  atOnce: number;
  /** Requests that wait, and their bytes in all. */
  maxWaiting: number;
  maxWaitingBytes: number;
  /** Who waited for longer is not worked on: whoever asked has given up. */
  maxWaitMs: number;
  /** Milliseconds since 1970. */
  now(): number;
}

export class WaitingLine {
  readonly #options: WaitingLineOptions;
  readonly #waiting: (() => void)[] = [];
  #waitingBytes = 0;
  #underWay = 0;

  constructor(options: WaitingLineOptions) {
    this.#options = options;
  }

  /** What `task` resolves to; null when the line was too long, or the wait. `bytes`: size of the request. */
  async run<T>(bytes: number, task: () => Promise<T>): Promise<T | null> {
    if (this.#underWay < this.#options.atOnce) this.#underWay += 1;
    else if (!(await this.#wait(bytes))) return null;
    try {
      return await task();
    } finally {
      this.#next();
    }
  }

  /** Resolves when it is one's turn; false at once, or then, when there is none. */
  async #wait(bytes: number): Promise<boolean> {
    const { maxWaiting, maxWaitingBytes, maxWaitMs, now } = this.#options;
    if (this.#waiting.length >= maxWaiting || this.#waitingBytes + bytes > maxWaitingBytes) return false;
    const since = now();
    this.#waitingBytes += bytes;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#waitingBytes -= bytes;
    if (now() - since <= maxWaitMs) return true;
    this.#next();
    return false;
  }

  /** The place goes to the next in line, so that nobody gets in between. */
  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#underWay -= 1;
    else next();
  }
}
