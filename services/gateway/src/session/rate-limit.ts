/**
 * Sliding-window counter: two fixed windows, the older one weighted by how much still overlaps.
 *
 * Four numbers a connection, whatever the limit. Exact while the older window is empty; after
 * that it assumes the older window's frames were spread evenly.
 */
export class RateLimit {
  readonly #limit: number;
  readonly #windowMs: number;
  #windowStart = 0;
  #current = 0;
  #previous = 0;

  constructor(limit: number, windowSeconds: number) {
    this.#limit = limit;
    this.#windowMs = windowSeconds * 1_000;
  }

  /** Counts one frame: 0 when it is allowed, else the seconds to wait. Refused ones don't count. */
  take(nowMs: number): number {
    this.#roll(nowMs);
    const elapsed = (nowMs - this.#windowStart) / this.#windowMs;
    const used = this.#current + this.#previous * (1 - elapsed);
    if (used + 1 <= this.#limit) {
      this.#current += 1;
      return 0;
    }
    return Math.max(1, Math.ceil(((1 - elapsed) * this.#windowMs) / 1_000));
  }

  #roll(nowMs: number): void {
    const windows = Math.floor((nowMs - this.#windowStart) / this.#windowMs);
    if (windows < 1) return;
    this.#previous = windows === 1 ? this.#current : 0;
    this.#current = 0;
    // After a pause the next frame opens a window, so that a burst is never split by the clock.
    this.#windowStart = windows === 1 ? this.#windowStart + this.#windowMs : nowMs;
  }
}
