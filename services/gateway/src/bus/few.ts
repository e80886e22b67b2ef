/** A set of mostly a few things: as an array it takes a third of a Set's memory. */

/** Above this it is a Set: looking through an array would cost more. */
const FEW_LIMIT = 16;
/** Of the many that are empty; never written to. */
const NOTHING: readonly never[] = [];

export class Few<T> {
  /** A new array whenever something comes or goes, so that a loop over it may change it. */
  #items: readonly T[] | Set<T> = NOTHING;

  get size(): number {
    return this.#items instanceof Set ? this.#items.size : this.#items.length;
  }

  has(item: T): boolean {
    return this.#items instanceof Set ? this.#items.has(item) : this.#items.includes(item);
  }

  add(item: T): void {
    if (this.#items instanceof Set) this.#items.add(item);
    else if (!this.#items.includes(item)) {
      // A spread would make space for 17.
      if (this.#items.length < FEW_LIMIT) this.#items = this.#items.concat([item]);
      else this.#items = new Set(this.#items).add(item);
    }
  }

  /** False when it was not there. */
  delete(item: T): boolean {
    if (!this.has(item)) return false;
    if (this.size === 1) this.#items = NOTHING;
    else if (this.#items instanceof Set) this.#items.delete(item);
    else this.#items = this.#items.toSpliced(this.#items.indexOf(item), 1);
    return true;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#items.values();
  }
}
