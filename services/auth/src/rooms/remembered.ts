/** What was read of a room, read once for all who ask at the same time and kept for a moment. */

export interface RememberedOptions<T> {
  /** How long a value is kept after it was read, in milliseconds. */
  keepMs: number;
  /** Values kept; the one read longest ago goes first. */
  max: number;
  /** What is cheap to read again need not be kept. */
  isWorthKeeping(value: T): boolean;
  /** Milliseconds since 1970. */
  now(): number;
}

export class Remembered<T> {
  readonly #options: RememberedOptions<T>;
  readonly #kept = new Map<string, { value: T; at: number }>();
  /** Bounded by the requests under way. */
  readonly #reading = new Map<string, Promise<T>>();

  constructor(options: RememberedOptions<T>) {
    this.#options = options;
  }

  /** The value kept, or what `read` finds; one `read` of a room is under way at a time. */
  get(room: string, read: () => Promise<T>): Promise<T> {
    const kept = this.kept(room);
    if (kept !== undefined) return Promise.resolve(kept);
    const reading = this.#reading.get(room) ?? this.#read(room, read);
    this.#reading.set(room, reading);
    return reading;
  }

  /** The value kept, for who changes it with their own writes; undefined where there is none. */
  kept(room: string): T | undefined {
    const { keepMs, now } = this.#options;
    const kept = this.#kept.get(room);
    return kept !== undefined && now() - kept.at < keepMs ? kept.value : undefined;
  }

  async #read(room: string, read: () => Promise<T>): Promise<T> {
    try {
      const value = await read();
      this.#keep(room, value);
      return value;
    } finally {
      this.#reading.delete(room);
    }
  }

  #keep(room: string, value: T): void {
    this.#kept.delete(room);
    if (!this.#options.isWorthKeeping(value)) return;
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= this.#options.max && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(room, { value, at: this.#options.now() });
  }
}
