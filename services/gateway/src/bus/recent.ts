/** A map that forgets what was put into it first, above its cap. */
/** Of the many in which nothing is; never written to. */
const NOTHING = new Map<string, never>();

export class Recent<V> {
  readonly #cap: number;
  #values: Map<string, V> = NOTHING;

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
    if (this.#values === NOTHING) this.#values = new Map();
    this.#values.set(key, value);
    if (this.#values.size > this.#cap) this.#values.delete(this.#values.keys().next().value ?? '');
  }

  delete(key: string): void {
    this.#values.delete(key);
    if (this.#values.size === 0) this.#values = NOTHING;
  }

  clear(): void {
    this.#values = NOTHING;
  }

  entries(): IterableIterator<[string, V]> {
    return this.#values.entries();
  }

  values(): IterableIterator<V> {
    return this.#values.values();
  }
}
