/** Settings that every service has. */

import { setting } from './define.ts';
import { choice, integer, optional, string } from './kinds.ts';

export const BASE_SETTINGS = {
  natsUrl: setting(
    'NATS_URL',
    string('nats://127.0.0.1:4222'),
    'Broker, or several separated by commas. `npm start` uses this broker when set and starts its own when unset.',
  ),
  natsNkeyFile: setting(
    'NATTER_NATS_NKEY_FILE',
    optional(),
    'File with the nkey seed by which this service signs in to the broker. Unset: no sign-in.',
  ),
  replicas: setting(
    'NATTER_REPLICAS',
    integer(1, 1, 5),
    'Copies of each stream and bucket: 1 on a single broker, 3 in a cluster.',
  ),
  transcriptDays: setting(
    'NATTER_TRANSCRIPT_DAYS',
    integer(30, 1, 3_650),
    'How long transcripts are kept, in days.',
  ),
  rateLimitRequests: setting(
    'WS_RATE_LIMIT_REQUESTS',
    integer(100, 1, 1_000_000),
    'Frames a connection may send within the window, and questions a user may ask over all connections and gateways. More are answered with RATE_LIMIT. The same for gateways and agents: agents make the streams that count.',
  ),
  rateLimitWindowSeconds: setting(
    'WS_RATE_LIMIT_WINDOW',
    integer(60, 1, 86_400),
    'Length of the sliding window of the rate limits, in seconds.',
  ),
  sessionRateLimit: setting(
    'NATTER_SESSION_RATE_LIMIT',
    integer(20, 1, 1_000_000),
    'Messages a session of session-v1 may send within the window, over all connections and gateways.',
  ),
  logDays: setting(
    'NATTER_LOG_DAYS',
    integer(3, 1, 365),
    'How long log lines are kept on the bus, in days; at most 512 MiB of them.',
  ),
  shippedLogLevel: setting(
    'NATTER_SHIPPED_LOG_LEVEL',
    choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'),
    'Least severe level of the lines that go to the bus, for /ws/logs and `npm run logs`; LOG_LEVEL is that of standard output.',
  ),
  uploadExpiryHours: setting(
    'NATTER_UPLOAD_EXPIRY_HOURS',
    integer(24, 1, 720),
    'How long an upload may take before what has arrived of it is dropped, in hours.',
  ),
  logLevel: setting(
    'LOG_LEVEL',
    choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'),
    'Least severe level that is written to standard output.',
  ),
  debug: setting(
    'DEBUG',
    // Other programs read it too, and know other values: what is no yes means no.
    optional().transform((value) => /^(true|1|yes|on)$/i.test(value ?? '')),
    '`true` logs at level debug, unless LOG_LEVEL is more detailed still. Other values do nothing.',
    { defaultDoc: 'false' },
  ),
  internalHost: setting(
    'NATTER_INTERNAL_HOST',
    string('127.0.0.1'),
    'Address on which /livez, /readyz and /metrics of the service are served. Keep it off the internet.',
  ),
  internalPort: setting(
    'NATTER_INTERNAL_PORT',
    integer(0, 0, 65_535),
    'Port of /livez, /readyz and /metrics. 0 picks a free one and logs it.',
  ),
  shutdownTimeoutMs: setting(
    'NATTER_SHUTDOWN_TIMEOUT_MS',
    integer(30_000, 100, 300_000),
    'A graceful stop that takes longer is cut off: the process ends with code 1. What would kill the process later must wait longer than this.',
  ),
};
