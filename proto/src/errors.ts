/**
 * Every error and close code a client can see: when, and whether to try again.
 *
 * docs/reference/errors.md is generated from these tables. A dialect may word an error in its
 * own way (frames of the original wire), never invent a code.
 */

export interface ErrorEntry {
  /** Text for people; a dialect may replace it by its seed's. */
  text: string;
  /** When a client sees it. */
  when: string;
  /** Whether the same request can succeed later. */
  retry: boolean;
  /** Status of the HTTP routes. */
  status: number;
}

export const ERRORS = {
  AUTH_REQUIRED: {
    text: 'Authentication required',
    when: 'A message before a valid token, or an HTTP request without one.',
    retry: false,
    status: 401,
  },
  INVALID_TOKEN: {
    text: 'Invalid token',
    when: 'The token is malformed, signed by nobody we trust, or for somebody else.',
    retry: false,
    status: 401,
  },
  TOKEN_EXPIRED: {
    text: 'Token expired',
    when: 'The token was good once. Get a new one and authenticate again.',
    retry: false,
    status: 401,
  },
  EMPTY_MESSAGE: {
    text: 'Message is required',
    when: 'The message is missing, empty, blank or not a string.',
    retry: false,
    status: 400,
  },
  MESSAGE_TOO_LONG: {
    text: 'Message is too long',
    when: 'The message has more than 16,000 UTF-16 code units.',
    retry: false,
    status: 413,
  },
  INVALID_JSON: {
    text: 'Invalid JSON format',
    when: 'A frame or body is not JSON, not UTF-8, or not an object.',
    retry: false,
    status: 400,
  },
  UNKNOWN_TYPE: {
    text: 'Invalid message type',
    when: 'The type of a frame is missing or none the wire knows.',
    retry: false,
    status: 400,
  },
  INVALID_FIELD: {
    text: 'Invalid field',
    when: 'A field has the wrong shape, such as an id that is no text of 1 to 128 bytes.',
    retry: false,
    status: 400,
  },
  RATE_LIMIT: {
    text: 'Rate limit exceeded',
    when: 'More than WS_RATE_LIMIT_REQUESTS frames of a connection, or questions of a user, within WS_RATE_LIMIT_WINDOW seconds.',
    retry: true,
    status: 429,
  },
  TOO_MANY_TURNS: {
    text: 'Too many questions at once',
    when: 'The connection or the conversation has as many unanswered questions as it may have.',
    retry: true,
    status: 429,
  },
  TOO_MANY_CONNECTIONS: {
    text: 'Too many connections',
    when: 'The gateway, the user or the address has all the connections it may have.',
    retry: true,
    status: 503,
  },
  PROCESSING_ERROR: {
    text: 'The question could not be answered',
    when: 'The run failed: the model was down, refused, or broke off. The log has the cause. Ask again with a new message_id.',
    retry: true,
    status: 502,
  },
  UNAVAILABLE: {
    text: 'Service unavailable',
    when: 'The broker or the auth service does not answer in time. Send it again with the same message_id.',
    retry: true,
    status: 503,
  },
  TIMEOUT: {
    text: 'The answer takes too long',
    when: 'POST /api/v1/chat only: the run goes on; ask for it with the same message_id.',
    retry: true,
    status: 504,
  },
  FORBIDDEN_ORIGIN: {
    text: 'Origin not allowed',
    when: 'The Origin header of an upgrade is on no allowlist.',
    retry: false,
    status: 403,
  },
  UPGRADE_REQUIRED: {
    text: 'WebSocket upgrade required',
    when: 'A plain HTTP request to a WebSocket path.',
    retry: false,
    status: 426,
  },
  NOT_FOUND: { text: 'Not found', when: 'No such route.', retry: false, status: 404 },
  METHOD_NOT_ALLOWED: {
    text: 'Method not allowed',
    when: 'The route exists, but not with this method.',
    retry: false,
    status: 405,
  },
  BODY_TOO_LARGE: {
    text: 'Body too large',
    when: 'The body of an HTTP request is above the limit.',
    retry: false,
    status: 413,
  },
  SHUTTING_DOWN: {
    text: 'Shutting down',
    when: 'The gateway takes no new work; another one does.',
    retry: true,
    status: 503,
  },
  INTERNAL: {
    text: 'Internal error',
    when: 'A mistake of ours. The log has the cause under the correlation id.',
    retry: true,
    status: 500,
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** Codes with which a run can fail. */
export const RUN_ERRORS = ['PROCESSING_ERROR'] as const satisfies readonly ErrorCode[];

export interface CloseEntry {
  /** RFC 6455 section 7.4 close code. */
  code: number;
  /** At most 123 bytes (RFC 6455 section 5.5). */
  reason: string;
  when: string;
  /** Whether a client should come back with the same credentials. */
  reconnect: boolean;
}

export const CLOSES = {
  goingAway: {
    code: 1012,
    reason: 'Service restart',
    when: 'The gateway is being stopped. Any other one answers.',
    reconnect: true,
  },
  frameTooLarge: {
    code: 1009,
    reason: 'Frame too large',
    when: 'A frame has more bytes than the wire takes.',
    reconnect: false,
  },
  authTimeout: {
    code: 4001,
    reason: 'Authentication required',
    when: 'No valid token arrived within the deadline.',
    reconnect: false,
  },
  tokenExpired: {
    code: 4001,
    reason: 'Token expired',
    when: 'The token ran out and no new one came. Renew it, then reconnect.',
    reconnect: false,
  },
  tooManyErrors: {
    code: 1008,
    reason: 'Too many refused frames',
    when: 'The client goes on sending although every frame is refused by the rate limit.',
    reconnect: false,
  },
  tooManyConnections: {
    code: 1013,
    reason: 'Too many connections',
    when: 'The user has all the connections they may have.',
    reconnect: true,
  },
  slowReader: {
    code: 1013,
    reason: 'Reading too slowly',
    when: 'What waits for the client has reached the hard limit. Reconnect and resume.',
    reconnect: true,
  },
  internalError: {
    code: 1011,
    reason: 'Internal error',
    when: 'A mistake of ours ended the connection.',
    reconnect: true,
  },
} as const satisfies Record<string, CloseEntry>;

export type CloseReason = keyof typeof CLOSES;
