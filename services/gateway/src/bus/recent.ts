/** A map that forgets what was put into it first, above its cap. */
export class Recent<V> {
  readonly #cap: number;
  readonly #values = new Map<string, V>();

  constructor(cap: number) {
    this.#cap = cap;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  set(key: string, value: V): void {
    this.#values.set(key, value);
    if (this.#values.size > this.#cap) this.#values.delete(this.#values.keys().next().value ?? '');
  }

  delete(key: string): void {
    this.#values.delete(key);
  }

  clear(): void {
    this.#values.clear();
  }

  entries(): IterableIterator<[string, V]> {
    return this.#values.entries();
  }

  values(): IterableIterator<V> {
    return this.#values.values();
  }
}
