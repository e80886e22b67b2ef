/** Settings of the gateway. */
import { kinds, setting } from '@natter/runtime/config';
import { MAX_PROCESSES } from './processes/process-count.ts';

const { choice, integer, integerOr, list, optionalFlag, string } = kinds;

export const GATEWAY_SETTINGS = {
  port: setting('PORT', integer(8000, 0, 65_535), 'Port for WebSocket and HTTP. 0 picks a free one.'),
  host: setting(
    'NATTER_HOST',
    string('127.0.0.1'),
    'Address to listen on. 0.0.0.0 makes the gateway reachable from other machines.',
  ),
  env: setting(
    'NATTER_ENV',
    choice(['production', 'development'], 'production'),
    'development allows every localhost Origin. `npm start` sets it when unset.',
  ),
  processes: setting(
    'GATEWAY_PROCESSES',
    integerOr('all', 1, MAX_PROCESSES),
    `Gateway processes that share the port, on Linux: 1 to ${MAX_PROCESSES}, or \`all\` for one on each core that may be used. Each is started again by itself when it ends; SIGUSR2 replaces them one by one.`,
    { defaultDoc: '1 in development, else `all`' },
  ),
  allowedOrigins: setting(
    'NATTER_ALLOWED_ORIGINS',
    list([]),
    'Origins from which browsers may connect, such as https://app.example.com, separated by commas. Clients that send no Origin are not browsers and are always allowed.',
  ),
  trustedProxies: setting(
    'NATTER_TRUSTED_PROXIES',
    list([]),
    'Addresses or CIDR ranges of proxies whose X-Forwarded-For is believed, separated by commas. Unset: none.',
  ),
  maxConnections: setting(
    'WEBSOCKET_MAX_CONNECTIONS',
    integer(50_000, 1, 1_000_000),
    'Connections this gateway holds. One more is refused with 503. Several processes hold so many together, now and then for a second more.',
  ),
  maxConnectionsPerUser: setting(
    'NATTER_MAX_CONNECTIONS_PER_USER',
    integer(200, 1, 1_000_000),
    'Connections of one user on this gateway. One more is closed with 1013. With GATEWAY_PROCESSES each process takes its part of it and what chance may add, so that in all a user may have more: of 200 with two processes 258 and with eight 352, of a few the whole limit on each.',
  ),
  maxConnectionsPerAddress: setting(
    'NATTER_MAX_CONNECTIONS_PER_ADDRESS',
    integer(2_000, 1, 1_000_000),
    'Connections from one client address (IPv6: one /64) on this gateway. One more is refused with 503. Divided like NATTER_MAX_CONNECTIONS_PER_USER: of 2,000 with two processes 2,180 in all, with eight 2,480.',
  ),
  maxFrameBytes: setting(
    'NATTER_MAX_FRAME_BYTES',
    integer(65_536, 1_024, 1_048_576),
    'Largest frame a client may send. A larger one closes the connection with 1009, above 16 MiB with 1006.',
  ),
  maxFileBytes: setting(
    'MAX_FILE_SIZE',
    integer(52_428_800, 1, 1_073_741_824),
    'Largest file that may be uploaded, in bytes. The same for gateways and uploads services.',
  ),
  maxChunkBytes: setting(
    'MAX_CHUNK_SIZE',
    integer(1_048_576, 1_024, 1_048_576),
    'Largest part of an upload, in bytes. Frames of rooms-v1 that carry one may be larger than NATTER_MAX_FRAME_BYTES. The same for gateways and uploads services.',
  ),
  uploadFramesPerWindow: setting(
    'NATTER_UPLOAD_FRAMES_PER_WINDOW',
    integer(2_000, 1, 1_000_000),
    'Frames of a connection within WS_RATE_LIMIT_WINDOW that are binary or larger than 8 KiB, on wires that take uploads; parts of uploads count here and not against WS_RATE_LIMIT_REQUESTS. Also PATCH requests of a user to a gateway. More are answered with RATE_LIMIT.',
  ),
  finalizeTimeoutMs: setting(
    'NATTER_FINALIZE_TIMEOUT_MS',
    integer(30_000, 1_000, 600_000),
    'How long the uploads service may take to check, scan and store a whole file, before the client is told UNAVAILABLE and may finalize again.',
  ),
  maxTurnsPerConnection: setting(
    'NATTER_MAX_TURNS_PER_CONNECTION',
    integer(8, 1, 1_000),
    'Questions of one connection that may be unanswered at once. One more gets TOO_MANY_TURNS.',
  ),
  anonymousSessions: setting(
    'NATTER_ANONYMOUS_SESSIONS',
    optionalFlag(),
    'Whether /ws/{session_id} takes connections without a token; whoever knows the name of such a session is in it.',
    { defaultDoc: 'true in development, else false' },
  ),
  authDeadlineMs: setting(
    'NATTER_AUTH_DEADLINE_MS',
    integer(30_000, 100, 3_600_000),
    'A connection that shows no valid token for this long is closed with 4001.',
  ),
  authTimeoutMs: setting(
    'NATTER_AUTH_TIMEOUT_MS',
    integer(3_000, 50, 60_000),
    'How long the auth service may take to verify a token.',
  ),
  storeTimeoutMs: setting(
    'NATTER_STORE_TIMEOUT_MS',
    integer(10_000, 100, 120_000),
    'How long the gateway goes on trying to store a question while the broker is away, before it answers UNAVAILABLE.',
  ),
  httpAnswerTimeoutMs: setting(
    'NATTER_HTTP_ANSWER_TIMEOUT_MS',
    integer(120_000, 100, 3_600_000),
    'How long POST /api/v1/chat waits for an answer before it says TIMEOUT. The run goes on.',
  ),
  heartbeatSeconds: setting(
    'WEBSOCKET_HEARTBEAT_INTERVAL',
    integer(30, 8, 480),
    'Seconds of silence after which a connection is pinged. Without an answer within 16 s (8 s below 16) it is closed. On rooms-v1 also the seconds between two heartbeat frames.',
  ),
  cleanupSeconds: setting(
    'WEBSOCKET_CLEANUP_INTERVAL',
    integer(300, 1, 86_400),
    'Seconds between two looks for what connections left behind, such as users who are typing and never said that they stopped.',
  ),
  softBufferBytes: setting(
    'NATTER_SOFT_BUFFER_BYTES',
    integer(65_536, 1_024, 67_108_864),
    'With more than this waiting for a slow reader, tokens are merged until it has caught up.',
  ),
  hardBufferBytes: setting(
    'NATTER_HARD_BUFFER_BYTES',
    integer(2_097_152, 65_536, 268_435_456),
    'With more than this waiting, a slow reader is closed with 1013 so that it can come back.',
  ),
  maxLogReaders: setting(
    'NATTER_MAX_LOG_READERS',
    integer(2_000, 1, 1_000_000),
    'Readers of logs this gateway serves, over sockets and HTTP. One more is closed with 1013, or answered with 503. Different filters are at most 256. Divided like NATTER_MAX_CONNECTIONS_PER_USER; filters count in each process.',
  ),
  drainMs: setting(
    'NATTER_DRAIN_MS',
    integer(20_000, 0, 120_000),
    'On SIGTERM the connections are closed with 1012, one each 2 ms so that they don’t come back all at once, and faster when that would take longer than this, or than four fifths of NATTER_SHUTDOWN_TIMEOUT_MS.',
  ),
};
