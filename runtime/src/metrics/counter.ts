/** A number that only grows, one for each combination of label values. */
import type { Metric } from './metric.ts';
import { seriesText } from './sample-text.ts';

/** Label values are words of the code; more combinations than this are a mistake, and not counted. */
const SERIES_LIMIT = 1_000;

interface Series {
  labels: [string, string][];
  value: number;
}

export class Counter<L extends string = never> implements Metric {
  readonly type = 'counter';
  readonly name: string;
  readonly help: string;
  readonly #labelNames: readonly L[];
  readonly #series = new Map<string, Series>();

  constructor(name: string, help: string, labelNames: readonly L[]) {
    this.name = name;
    this.help = help;
    this.#labelNames = labelNames;
    // Without labels there is one series, which is 0 from the start.
    if (labelNames.length === 0) this.#series.set('', { labels: [], value: 0 });
  }

  /** Adds 1 or `amount`; labels come first where the counter has any. */
  inc(...args: [L] extends [never] ? [amount?: number] : [labels: Record<L, string>, amount?: number]): void {
    const [first, second] = args as [Record<L, string> | number | undefined, number?];
    if (typeof first !== 'object') return this.#add('', [], first ?? 1);
    const values = this.#labelNames.map((name): [string, string] => [name, first[name]]);
    this.#add(values.map(([, value]) => value).join('\0'), values, second ?? 1);
  }

  samples(service: readonly [string, string]): string {
    let text = '';
    for (const { labels, value } of this.#series.values())
      text += `${seriesText(this.name, [...labels, service])} ${value}\n`;
    return text;
  }

  #add(key: string, labels: [string, string][], amount: number): void {
    const series = this.#series.get(key);
    if (series !== undefined) series.value += amount;
    else if (this.#series.size < SERIES_LIMIT) this.#series.set(key, { labels, value: amount });
  }
}
