/** What the auth service counts. */
import type { Metrics } from '@natter/runtime';

export type AuthMetrics = ReturnType<typeof registerAuthMetrics>;

/** Read when Prometheus asks. */
export interface AuthState {
  underWay(): number;
  rememberedTokens(): number;
  rememberedHits(): number;
}

export function registerAuthMetrics(metrics: Metrics, state: AuthState) {
  metrics.gauge('natter_auth_verifications_under_way', 'Verifications under way.', state.underWay);
  metrics.gauge(
    'natter_auth_remembered_tokens',
    'Verified tokens that are remembered.',
    state.rememberedTokens,
  );
  metrics.gauge(
    'natter_auth_remembered_hits',
    'Verifications answered from memory since the start.',
    state.rememberedHits,
  );
  return {
    verifications: metrics.counter('natter_auth_verifications_total', 'Tokens verified, by result.', [
      'result',
    ]),
    issued: metrics.counter(
      'natter_auth_issued_total',
      'Tokens of the wires that were asked for, by kind and result.',
      ['kind', 'result'],
    ),
    rooms: metrics.counter(
      'natter_auth_room_requests_total',
      'Requests about rooms, by operation and result.',
      ['op', 'result'],
    ),
    apiKeys: metrics.counter(
      'natter_auth_api_key_requests_total',
      'Requests to make, list or revoke API keys, by operation and result.',
      ['op', 'result'],
    ),
    seconds: metrics.latency('natter_auth_verify_seconds', 'Time that one verification took.'),
  };
}
