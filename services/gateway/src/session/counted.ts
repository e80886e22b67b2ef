/** Counts by key with a cap; forgets keys at zero, so it holds no more keys than connections. */
export class Counted {
  readonly #cap: number;
  readonly #counts = new Map<string, number>();

  constructor(cap: number) {
    this.#cap = cap;
  }

  /** False when the key has all it may have. */
  add(key: string): boolean {
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.#cap) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  remove(key: string): void {
    const count = this.#counts.get(key) ?? 0;
    if (count <= 1) this.#counts.delete(key);
    else this.#counts.set(key, count - 1);
  }
}
