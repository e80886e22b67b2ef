/** What every service counts of its log lines. */
import type { Metrics } from '../metrics.ts';

export interface LogMetrics {
  dropped(lines: number): void;
}

export function registerLogMetrics(metrics: Metrics): LogMetrics {
  const dropped = metrics.counter(
    'natter_log_lines_dropped_total',
    'Log lines that did not reach the bus: the buffer was full, or the broker refused them.',
  );
  return { dropped: (lines) => dropped.inc(lines) };
}
