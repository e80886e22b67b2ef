/** How long to wait before the next try: longer each time, and never the same for all. */

const BASE_MS = 250;
const MAX_MS = 10_000;

export class Backoff {
  readonly #random: () => number;
  #base = BASE_MS;
  #tries = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** What the server asks for is the first wait, within 100 ms and 10 s. */
  set baseMs(ms: number) {
    this.#base = Math.min(MAX_MS, Math.max(100, ms));
  }

  /** Between half and all of base × 2^tries, at most 10 s. */
  next(): number {
    const ms = Math.min(MAX_MS, this.#base * 2 ** Math.min(this.#tries, 16));
    this.#tries += 1;
    return Math.round(ms * (0.5 + this.#random() / 2));
  }

  reset(): void {
    this.#tries = 0;
  }
}
