/** Buffers of one size that are used again: fresh memory costs 0.5 ms a MB, a copy 0.1. */

export class Slabs {
  readonly #bytes: number;
  readonly #most: number;
  readonly #free: Buffer[] = [];

  /** Keeps at most `most` that nobody uses. */
  constructor(bytes: number, most: number) {
    this.#bytes = bytes;
    this.#most = most;
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  /** Once nobody reads or writes it any more. */
  give(slab: Buffer): void {
    if (this.#free.length < this.#most) this.#free.push(slab);
  }
}
