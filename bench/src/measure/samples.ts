/** A bounded set of measurements and its exact percentiles. */

export interface Distribution {
  count: number;
  p50: number;
  p99: number;
  p999: number;
  max: number;
}

export class Samples {
  readonly #values: Float64Array;
  #count = 0;
  #dropped = 0;

  /** Further values are counted in `dropped` and otherwise ignored. */
  constructor(capacity: number) {
    this.#values = new Float64Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  get dropped(): number {
    return this.#dropped;
  }

  add(value: number): void {
    if (this.#count === this.#values.length) this.#dropped += 1;
    else this.#values[this.#count++] = value;
  }

  /** Fails when there are none. */
  distribution(): Distribution {
    return distribution(this.#values.slice(0, this.#count));
  }
}

/** Percentiles of these values; sorts them in place. */
export function distribution(values: Float64Array): Distribution {
  values.sort();
  return {
    count: values.length,
    p50: percentile(values, 50),
    p99: percentile(values, 99),
    p999: percentile(values, 99.9),
    max: percentile(values, 100),
  };
}

/** Nearest rank: the smallest value that at least `p` percent of all don't exceed. */
export function percentile(sorted: Float64Array, p: number): number {
  if (sorted.length === 0) throw new RangeError('no samples');
  // 99.9 / 100 * 1000 is a little above 999 in binary; the rank must not move by that.
  const rank = Math.ceil(Number(((p / 100) * sorted.length).toFixed(6)));
  return sorted[Math.min(sorted.length, Math.max(1, rank)) - 1] as number;
}

/** All values of several parts, in their order. */
export function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
