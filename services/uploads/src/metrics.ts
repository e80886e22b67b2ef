/** What the uploads service counts. */
import type { Metrics } from '@natter/runtime';

export type UploadsMetrics = ReturnType<typeof registerUploadsMetrics>;

/** Read when Prometheus asks. */
export interface UploadsState {
  underWay(): number;
}

export function registerUploadsMetrics(metrics: Metrics, state: UploadsState) {
  metrics.gauge('natter_uploads_requests_under_way', 'Requests under way.', state.underWay);
  return {
    requests: metrics.counter(
      'natter_uploads_requests_total',
      'Requests about uploads and files, by operation and result.',
      ['op', 'result'],
    ),
    received: metrics.counter('natter_uploads_received_bytes_total', 'Bytes of parts that were stored.'),
    finished: metrics.counter(
      'natter_uploads_finished_total',
      'Uploads that became files (ready, quarantined) or were refused, by code.',
      ['result'],
    ),
    rescans: metrics.counter('natter_uploads_rescans_total', 'Scans of quarantined files, by verdict.', [
      'verdict',
    ]),
    texts: metrics.counter('natter_uploads_texts_total', 'Files whose text was looked for, by result.', [
      'result',
    ]),
    finalize: metrics.latency('natter_uploads_finalize_seconds', 'Time that one finalize took.'),
  };
}
