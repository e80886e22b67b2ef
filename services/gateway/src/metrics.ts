/** What the gateway counts. */
import type { Metrics } from '@natter/runtime';

export type GatewayMetrics = ReturnType<typeof registerGatewayMetrics>;

/** Read when Prometheus asks. */
export interface GatewayState {
  connections(): number;
  runs(): number;
}

export function registerGatewayMetrics(metrics: Metrics, state: GatewayState) {
  metrics.gauge('natter_gateway_connections', 'Open WebSocket connections.', state.connections);
  metrics.gauge('natter_gateway_runs', 'Runs with at least one follower here.', state.runs);
  return {
    turns: metrics.counter('natter_gateway_turns_total', 'Questions by outcome: stored, repeated, refused.', [
      'outcome',
    ]),
    errors: metrics.counter('natter_gateway_errors_total', 'Errors told to clients, by code.', ['code']),
    closes: metrics.counter('natter_gateway_closes_total', 'Connections the gateway closed, by reason.', [
      'reason',
    ]),
    refusedUpgrades: metrics.counter('natter_gateway_refused_upgrades_total', 'Upgrades refused, by code.', [
      'code',
    ]),
    authSeconds: metrics.latency(
      'natter_gateway_auth_seconds',
      'Time the auth service took to verify a token.',
    ),
  };
}
