/** Pseudo-random numbers that are the same for the same seed (sfc32). */

export class Random {
  #a: number;
  #b: number;
  #c = 0x9e3779b9 | 0;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.imul(seed ^ 0x5bd1e995, 0x85ebca6b) | 0;
    // Seeds that differ by one bit are alike for the first few numbers.
    for (let i = 0; i < 16; i += 1) this.next();
  }

  /** From 0 up to, but not, 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to, but not, `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Of an exponential distribution: time between two arrivals at random. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }
}
