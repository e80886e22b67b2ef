/** What the agent counts. */
import type { Metrics } from '@natter/runtime';

export type AgentMetrics = ReturnType<typeof registerAgentMetrics>;

export function registerAgentMetrics(metrics: Metrics) {
  return {
    runs: metrics.counter('natter_agent_runs_total', 'Runs ended here, by outcome: completed, failed.', [
      'outcome',
    ]),
    gauge: metrics.gauge.bind(metrics),
  };
}
