/** Durations in seconds, counted in buckets. */
import type { Metric } from './metric.ts';
import { seriesText } from './sample-text.ts';

/** From a tenth of a millisecond to a minute. */
const BOUNDS = [
  0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

export class Histogram implements Metric {
  readonly type = 'histogram';
  readonly name: string;
  readonly help: string;
  /** Of each bucket alone; the last one is for what is above all bounds. */
  readonly #counts = new Array<number>(BOUNDS.length + 1).fill(0);
  #sum = 0;

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] as number)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += seconds;
  }

  /** Begins now; the duration counts when the returned function is called. */
  startTimer(): () => void {
    const beginMs = performance.now();
    return () => this.observe((performance.now() - beginMs) / 1_000);
  }

  /** In the text each bucket holds those below it as well. */
  samples(service: readonly [string, string]): string {
    let text = '';
    let count = 0;
    this.#counts.forEach((own, bucket) => {
      count += own;
      const bound = bucket < BOUNDS.length ? String(BOUNDS[bucket]) : '+Inf';
      text += `${seriesText(`${this.name}_bucket`, [['le', bound], service])} ${count}\n`;
    });
    text += `${seriesText(`${this.name}_sum`, [service])} ${this.#sum}\n`;
    return `${text}${seriesText(`${this.name}_count`, [service])} ${count}\n`;
  }
}
