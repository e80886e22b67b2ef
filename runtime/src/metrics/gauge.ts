/** A value that is read when Prometheus asks; `counter` where it only grows. */
import type { Metric } from './metric.ts';
import { seriesText } from './sample-text.ts';

export class Gauge implements Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly #read: () => number;

  constructor(name: string, help: string, read: () => number, type: 'counter' | 'gauge' = 'gauge') {
    this.name = name;
    this.help = help;
    this.type = type;
    this.#read = read;
  }

  samples(service: readonly [string, string]): string {
    return `${seriesText(this.name, [service])} ${this.#read()}\n`;
  }
}
