/** Numbers that look random and are the same for the same seed. Source: Marsaglia 2003, xorshift128. */

export class Xorshift {
  #x: number;
  #y: number;
  #z: number;
  #w: number;

  /** Different seeds begin different sequences; `stream` parts those of one seed, such as blocks of frames. */
  constructor(seed: number, stream = 0) {
    this.#x = (seed ^ 0x9e3779b9) >>> 0;
    this.#y = Math.imul(seed + 1, 0x85ebca6b) >>> 0;
    this.#z = Math.imul(stream + 1, 0xc2b2ae35) >>> 0;
    this.#w = (stream ^ 0x27d4eb2f) >>> 0 || 1;
    // Neighbouring seeds differ in few bits at first.
    for (let round = 0; round < 24; round += 1) this.next();
  }

  /** A whole number from 0 to 2^32 - 1. */
  next(): number {
    const t = this.#x ^ (this.#x << 11);
    this.#x = this.#y;
    this.#y = this.#z;
    this.#z = this.#w;
    this.#w = (this.#w ^ (this.#w >>> 19) ^ t ^ (t >>> 8)) >>> 0;
    return this.#w;
  }

  /** A whole number from 0 to `limit - 1`; `limit` is 1 to 2^32. */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit);
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.below(from.length)];
    if (picked === undefined) throw new RangeError('nothing to pick from');
    return picked;
  }
}
