/** What can go wrong with a model, in words that belong to no provider. */

export type ModelErrorCode =
  /** No connection, or the server says that it is broken (5xx). */
  | 'UNREACHABLE'
  /** The server understood and said no: a bad key, an unknown model, a filtered answer. */
  | 'REFUSED'
  /** 429. */
  | 'RATE_LIMITED'
  /** No first token, no next token, or no end within its time. */
  | 'TIMEOUT'
  /** The stream ended before the reply did. */
  | 'CUT_OFF'
  /** Something came that is no reply: broken JSON, an empty answer, a malformed tool call. */
  | 'BAD_REPLY'
  /** The answer is longer than LIMITS.answerChars. */
  | 'TOO_LONG';

export interface ModelErrorDetails {
  cause?: unknown;
  /** Whether the same request may succeed now or soon. */
  retryable?: boolean;
  /** How long the server wants us to stay away, in milliseconds. */
  retryAfterMs?: number | null;
}

/** Its message is for the log; clients only ever get a correlation id. */
export class ModelError extends Error {
  readonly code: ModelErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;

  constructor(code: ModelErrorCode, message: string, details: ModelErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'ModelError';
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs ?? null;
  }
}
