/** Prometheus metrics of one process. */
import { Counter } from './metrics/counter.ts';
import { Gauge } from './metrics/gauge.ts';
import { Histogram } from './metrics/histogram.ts';
import type { Metric } from './metrics/metric.ts';
import { processMetrics } from './metrics/process-metrics.ts';
import { headText } from './metrics/sample-text.ts';

export class Metrics {
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #service: readonly [string, string];
  readonly #own = new Map<string, Metric>();
  readonly #ofProcess = processMetrics();

  constructor(service: string) {
    this.#service = ['service', service];
  }

  counter<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return this.#add(new Counter(name, help, labelNames));
  }

  /** A value read when Prometheus asks. */
  gauge(name: string, help: string, read: () => number): void {
    this.#add(new Gauge(name, help, read));
  }

  /** Durations in seconds. */
  latency(name: string, help: string): Histogram {
    return this.#add(new Histogram(name, help));
  }

  /** Prometheus text format 0.0.4. */
  async expose(): Promise<string> {
    const lag = await eventLoopLag();
    const all = [...this.#ofProcess, lag, ...this.#own.values()];
    return all
      .map((metric) => headText(metric.name, metric.help, metric.type) + metric.samples(this.#service))
      .join('\n');
  }

  /** Name, help and type of each metric that not every process has. */
  describe(): { name: string; help: string; type: string }[] {
    return [...this.#own.values()].map(({ name, help, type }) => ({ name, help, type }));
  }

  #add<M extends Metric>(metric: M): M {
    if (this.#own.has(metric.name)) throw new Error(`there is a metric ${metric.name} already`);
    this.#own.set(metric.name, metric);
    return metric;
  }
}

/** How late something comes just now that should be done at once. */
async function eventLoopLag(): Promise<Gauge> {
  const beginMs = performance.now();
  await new Promise((resolve) => setImmediate(resolve));
  const seconds = (performance.now() - beginMs) / 1_000;
  return new Gauge('nodejs_eventloop_lag_seconds', 'How late the event loop is.', () => seconds);
}
