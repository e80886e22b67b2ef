/** What the agent counts. */
import type { Metrics } from '@natter/runtime';

export type AgentMetrics = ReturnType<typeof registerAgentMetrics>;

/** Read when Prometheus asks. */
export interface AgentState {
  runs(): number;
}

export function registerAgentMetrics(metrics: Metrics, state: AgentState) {
  metrics.gauge('natter_agent_runs', 'Runs under way.', state.runs);
  return {
    runs: metrics.counter(
      'natter_agent_runs_total',
      'Runs ended here, by outcome: completed, failed, cancelled.',
      ['outcome'],
    ),
  };
}
