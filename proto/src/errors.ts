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
  ROOM_DENIED: {
    text: 'Access denied to room',
    when: 'The room does not exist, or it is not for this user; nobody is told which.',
    retry: false,
    status: 403,
  },
  ROOM_EXISTS: {
    text: 'Room already exists',
    when: 'A room of this id was to be created although there is one.',
    retry: false,
    status: 409,
  },
  ROOM_FULL: {
    text: 'Room is full',
    when: 'The room has all the members it may have (10,000).',
    retry: false,
    status: 409,
  },
  TOO_MANY_ROOMS: {
    text: 'Too many rooms',
    when: 'The user has joined 256 rooms or owns 256, or the connection watches as many conversations as it may.',
    retry: false,
    status: 409,
  },
  NOT_MODERATOR: {
    text: 'Only the owner of the room or an admin may do this',
    when: 'A member of a room asks for what its owner or an admin may.',
    retry: false,
    status: 403,
  },
  ADMIN_ONLY: {
    text: 'Admin role required',
    when: 'An HTTP route for operators, asked without the role admin.',
    retry: false,
    status: 403,
  },
  MESSAGE_NOT_FOUND: {
    text: 'Message not found',
    when: 'There is no such message of this user in the conversation, or it is too old to be changed.',
    retry: false,
    status: 404,
  },
  BUSY: {
    text: 'Another question is being answered',
    when: 'The connection chose on_busy=reject and a question of the conversation is unanswered.',
    retry: true,
    status: 409,
  },
  CURSOR_UNKNOWN: {
    text: 'Unknown cursor',
    when: 'A cursor is malformed, or names what this user may not see; nobody is told which.',
    retry: false,
    status: 400,
  },
  NOT_SUPPORTED: {
    text: 'Not supported',
    when: 'The frame is known, but this deployment does not do what it asks for.',
    retry: false,
    status: 501,
  },
  MODEL_NOT_ALLOWED: {
    text: 'Model is not allowed',
    when: 'The client asked for a model that is not on the list of NATTER_ALLOWED_MODELS.',
    retry: false,
    status: 400,
  },
  UNKNOWN_PROVIDER: {
    text: 'Unknown provider',
    when: 'The client asked for a provider of models that is not configured.',
    retry: false,
    status: 400,
  },
  SCOPE_REQUIRED: {
    text: 'The key may not do this',
    when: 'An API key without the scope that the route or wire asks for, or an access token without the role.',
    retry: false,
    status: 403,
  },
  TOO_MANY_API_KEYS: {
    text: 'Too many API keys',
    when: 'There are 1,000 API keys, as many as there may be; revoke one.',
    retry: false,
    status: 409,
  },
  INVALID_LOG_LINE: {
    text: 'Not a log line',
    when: 'A line that was sent to be logged has no text, or a name or level that can not be used.',
    retry: false,
    status: 400,
  },
  FILE_TOO_LARGE: {
    text: 'File too large',
    when: 'The file has more than MAX_FILE_SIZE bytes.',
    retry: false,
    status: 413,
  },
  FILE_EMPTY: {
    text: 'File is empty',
    when: 'A file of 0 bytes was to be uploaded.',
    retry: false,
    status: 400,
  },
  FILE_NAME_INVALID: {
    text: 'File name can not be used',
    when: 'The name is empty, no text, or nothing is left of it without its path and control characters.',
    retry: false,
    status: 400,
  },
  FILE_TYPE_NOT_ALLOWED: {
    text: 'File type is not allowed',
    when: 'The ending of the name is on no list, or hides another one that is executable.',
    retry: false,
    status: 415,
  },
  FILE_TYPE_MISMATCH: {
    text: 'The content is not what the name says',
    when: 'The first bytes of the file are those of another type than the ending of its name.',
    retry: false,
    status: 415,
  },
  FILE_SIZE_MISMATCH: {
    text: 'The file has another size than declared',
    when: 'The parts add up to more or fewer bytes than file_size.',
    retry: false,
    status: 422,
  },
  CHECKSUM_MISMATCH: {
    text: 'Checksum does not match',
    when: 'The SHA-256 of the file, or of a part of a tus upload, is another one than was sent.',
    retry: false,
    status: 422,
  },
  CHECKSUM_INVALID: {
    text: 'Checksum required',
    when: 'finalize without a SHA-256 of 64 hexadecimal digits.',
    retry: false,
    status: 400,
  },
  CHUNK_INVALID: {
    text: 'Chunk can not be used',
    when: 'A part is no base64, is empty, has an index outside the total, or a total that differs from the first one’s.',
    retry: false,
    status: 400,
  },
  CHUNK_TOO_LARGE: {
    text: 'Chunk too large',
    when: 'A part has more than MAX_CHUNK_SIZE bytes.',
    retry: false,
    status: 413,
  },
  UPLOAD_BUSY: {
    text: 'Too many parts at once',
    when: 'The connection has as many bytes of parts under way as it may have; send this one again.',
    retry: true,
    status: 429,
  },
  UPLOAD_INCOMPLETE: {
    text: 'Parts are missing',
    when: 'finalize before all parts have arrived; the frame names those that are missing.',
    retry: true,
    status: 409,
  },
  UPLOAD_NOT_FOUND: {
    text: 'Upload not found',
    when: 'There is no such upload of this user: it never was, is finished, was cancelled, or has expired.',
    retry: false,
    status: 404,
  },
  UPLOAD_OFFSET_CONFLICT: {
    text: 'Offset does not match',
    when: 'A part of a tus upload begins elsewhere than where the upload stands.',
    retry: true,
    status: 409,
  },
  QUOTA_EXCEEDED: {
    text: 'Quota exceeded',
    when: 'The user’s files and uploads under way would have more bytes, or be more, than they may.',
    retry: false,
    status: 413,
  },
  FILE_INFECTED: {
    text: 'A virus was found',
    when: 'The scanner found something; the file is gone.',
    retry: false,
    status: 422,
  },
  FILE_QUARANTINED: {
    text: 'The file is not scanned yet',
    when: 'The scanner is down or could not judge the file; it is served once it was found clean.',
    retry: true,
    status: 423,
  },
  FILE_NOT_FOUND: {
    text: 'File not found',
    when: 'There is no such file, or it is not for this user; nobody is told which.',
    retry: false,
    status: 404,
  },
  RANGE_INVALID: {
    text: 'Range not satisfiable',
    when: 'A Range header that names no byte of the file.',
    retry: false,
    status: 416,
  },
  UNSUPPORTED_VERSION: {
    text: 'Unsupported version of the protocol',
    when: 'A tus request without Tus-Resumable: 1.0.0.',
    retry: false,
    status: 412,
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
export const RUN_ERRORS = [
  'PROCESSING_ERROR',
  'MODEL_NOT_ALLOWED',
  'UNKNOWN_PROVIDER',
] as const satisfies readonly ErrorCode[];

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
  badApiKey: {
    code: 1008,
    reason: 'Unauthorized',
    when: 'logs-v1 only: no API key, a bad one, or one without the scope logs:read.',
    reconnect: false,
  },
  badQuery: {
    code: 1008,
    reason: 'Invalid parameter',
    when: 'logs-v1 only: a parameter of the query can not be used.',
    reconnect: false,
  },
  keyRevoked: {
    code: 1008,
    reason: 'API key revoked',
    when: 'logs-v1 only: the key was revoked or has expired.',
    reconnect: false,
  },
  disconnected: {
    code: 1012,
    reason: 'Disconnected by an admin',
    when: 'logs-v1 only: POST /api/disconnect-all-websockets.',
    reconnect: true,
  },
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
  unavailable: {
    code: 1013,
    reason: 'Service unavailable',
    when: 'The token could not be verified in time, on wires that take no other. Connect again.',
    reconnect: true,
  },
  invalidToken: {
    code: 4001,
    reason: 'Authentication required',
    when: 'The token of the upgrade request was refused, on wires that take no other.',
    reconnect: false,
  },
  forbiddenOrigin: {
    code: 4003,
    reason: 'Origin not allowed',
    when: 'session-v1 only; other wires answer the upgrade with 403.',
    reconnect: false,
  },
  sessionNotFound: {
    code: 4004,
    reason: 'Session not found',
    when: 'session-v1 only: a cursor to resume from is unknown, or somebody else’s.',
    reconnect: false,
  },
  invalidSession: {
    code: 4001,
    reason: 'Invalid session',
    when: 'session-v1 only: the session id is no text of 1 to 128 bytes, or sessions need a token.',
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
