/** When each token of a completion is due; without drift, because it counts from the start. */
export class Pace {
  readonly #firstAt: number;
  readonly #everyMs: number;

  /** `startedAt` in milliseconds of any clock; `tokensPerSecond` 0 means all at once. */
  constructor(startedAt: number, firstTokenMs: number, tokensPerSecond: number) {
    this.#firstAt = startedAt + firstTokenMs;
    this.#everyMs = tokensPerSecond === 0 ? 0 : 1_000 / tokensPerSecond;
  }

  /** When token `index` (from 0) is due. */
  at(index: number): number {
    return this.#firstAt + index * this.#everyMs;
  }

  /** How many tokens are due by `now`; -1 before the first is. */
  due(now: number): number {
    if (now < this.#firstAt) return -1;
    if (this.#everyMs === 0) return Number.POSITIVE_INFINITY;
    return Math.floor((now - this.#firstAt) / this.#everyMs) + 1;
  }
}
