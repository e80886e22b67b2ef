/** Latencies and their percentiles: exact of what is kept, an HDR histogram of what is only counted. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

export interface Distribution {
  count: number;
  p50: number;
  p99: number;
  p999: number;
  max: number;
  /** The whole curve: percentiles halve what is left, each with its value. */
  spectrum: [percentile: number, value: number][];
}

/** An hour in microseconds; what takes longer is counted as that. */
const MOST = 3_600_000_000;
/** Significant digits of a value: within 0.1%. */
const FIGURES = 3;

/** Any number of whole microseconds in constant memory. */
export class Samples {
  readonly #histogram: RecordableHistogram = newHistogram();

  get count(): number {
    return this.#histogram.count;
  }

  add(micros: number): void {
    record(this.#histogram, micros);
  }

  /** Fails when there are none. */
  distribution(): Distribution {
    const histogram = this.#histogram;
    if (histogram.count === 0) throw new RangeError('no samples');
    return {
      count: histogram.count,
      p50: histogram.percentile(50),
      p99: histogram.percentile(99),
      p999: histogram.percentile(99.9),
      max: histogram.max,
      spectrum: [...histogram.percentiles],
    };
  }
}

/** Percentiles of these values, exact but for the curve; sorts them in place. */
export function distribution(values: Float64Array): Distribution {
  values.sort();
  const [p50, p99, p999] = [50, 99, 99.9].map((p) => percentile(values, p)) as [number, number, number];
  const histogram = newHistogram();
  for (const value of values) record(histogram, value);
  const spectrum = [...histogram.percentiles];
  return { count: values.length, p50, p99, p999, max: percentile(values, 100), spectrum };
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

function newHistogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: MOST, figures: FIGURES });
}

/** Node's histogram takes whole numbers from 1. */
function record(histogram: RecordableHistogram, value: number): void {
  histogram.record(Math.min(MOST, Math.max(1, Math.round(value))));
}
