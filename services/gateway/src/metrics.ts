/** What the gateway counts. */
import type { Metrics } from '@natter/runtime';

export type GatewayMetrics = ReturnType<typeof registerGatewayMetrics>;

/** Read when Prometheus asks. */
export interface GatewayState {
  connections(): number;
  runs(): number;
  setAside(): number;
  logReaders(): number;
  logFeeds(): number;
}

export function registerGatewayMetrics(metrics: Metrics, state: GatewayState) {
  metrics.gauge('natter_gateway_connections', 'Open WebSocket connections.', state.connections);
  metrics.gauge('natter_gateway_runs', 'Runs with at least one follower here.', state.runs);
  metrics.gauge(
    'natter_gateway_set_aside',
    'Connections that watch a conversation and are set aside, as they do not read or the room waits for the broker; counted in each conversation.',
    state.setAside,
  );
  metrics.gauge('natter_gateway_log_readers', 'Readers of logs, over sockets and HTTP.', state.logReaders);
  metrics.gauge('natter_gateway_log_feeds', 'Different filters that are read.', state.logFeeds);
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
    logDeliveries: metrics.counter(
      'natter_gateway_log_deliveries_total',
      'Live log lines, times the readers they were sent to.',
    ),
    logGaps: metrics.counter(
      'natter_gateway_log_gaps_total',
      'Times a line was missing between the broker and here, and was read from LOGS.',
    ),
    authSeconds: metrics.latency(
      'natter_gateway_auth_seconds',
      'Time the auth service took to verify a token.',
    ),
  };
}

/** Of the parent of several gateway processes. */
export function registerProcessesMetrics(metrics: Metrics, serving: () => number) {
  metrics.gauge('natter_gateway_processes', 'Processes that serve, where there are several.', serving);
  return {
    restarts: metrics.counter(
      'natter_gateway_process_restarts_total',
      'Processes that ended by themselves and were started again.',
    ),
  };
}
