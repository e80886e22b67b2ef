/** How long frames take to be read, by the size of the frame, in a histogram that costs little. */

/** Size classes: a power of two each, to 128 KiB. */
const CLASSES = 18;
/** Eight steps for each doubling of the time, from 1/16 µs on. */
const STEPS_PER_DOUBLING = 8;
const BUCKETS = 32 * STEPS_PER_DOUBLING;
const LEAST_MS = 1 / 16_000;
/** Below this a median says nothing. */
const LEAST_COUNT = 1_000;

export class Durations {
  readonly #counts = new Uint32Array(CLASSES * BUCKETS);
  readonly #totals = new Uint32Array(CLASSES);

  add(bytes: number, ms: number): void {
    const size = sizeClass(bytes);
    const step = Math.log2(Math.max(1, ms / LEAST_MS)) * STEPS_PER_DOUBLING;
    const at = size * BUCKETS + Math.min(BUCKETS - 1, step | 0);
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#totals[size] = (this.#totals[size] as number) + 1;
  }

  /** In milliseconds, of frames about as long as this one, to within 9%; null while there are too few. */
  median(bytes: number): number | null {
    const size = sizeClass(bytes);
    const total = this.#totals[size] as number;
    if (total < LEAST_COUNT) return null;
    let left = total / 2;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      left -= this.#counts[size * BUCKETS + bucket] as number;
      if (left <= 0) return LEAST_MS * 2 ** ((bucket + 1) / STEPS_PER_DOUBLING);
    }
    return null;
  }
}

function sizeClass(bytes: number): number {
  return Math.min(CLASSES - 1, 32 - Math.clz32(bytes));
}
