/**
 * Lets all runs that have something to say publish at the same time, in one write.
 *
 * A write to the broker, its reading it, its answer and our reading that are wake-ups, which cost
 * more than a token does. What one turn of the event loop has read goes out at its end. Under
 * load a round also waits for the next millisecond, which then brings several tokens; a quiet
 * agent never waits (docs/decisions/0023).
 */

/** Publishes of one slice of time from which on waiting pays: 5 in a millisecond. */
const BUSY_PUBLISHES = 40;
const SLICE_MS = 8;
const WAIT_MS = 1;

export class PublishRounds {
  readonly #now: () => number;
  #round: Promise<void> | null = null;
  #sliceEndsAt = 0;
  #publishes = 0;
  #busy = false;

  /** `now`: milliseconds that never go back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Resolves when it is time to publish, for all who wait at once. */
  next(): Promise<void> {
    this.#count();
    this.#round ??= new Promise((resolve) => {
      const begin = () => {
        this.#round = null;
        resolve();
      };
      if (this.#busy) setTimeout(begin, WAIT_MS);
      else setImmediate(begin);
    });
    return this.#round;
  }

  #count(): void {
    const now = this.#now();
    if (now >= this.#sliceEndsAt) {
      // After a pause the slice before this one was an empty one.
      this.#busy = this.#publishes >= BUSY_PUBLISHES && now < this.#sliceEndsAt + SLICE_MS;
      this.#sliceEndsAt = now + SLICE_MS;
      this.#publishes = 0;
    }
    this.#publishes += 1;
  }
}
