/** What a registry asks of each of its metrics. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** The lines of its samples, each ended, with this label besides its own. */
  samples(service: readonly [string, string]): string;
}
