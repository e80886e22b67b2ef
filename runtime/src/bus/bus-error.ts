/** An error of the bus; without the client library, for those who only look at its code. */

export type BusErrorCode =
  /** The broker or whoever should answer can't be reached in time. It may have happened or not. */
  | 'UNAVAILABLE'
  /** Optimistic concurrency: somebody else wrote first. Nothing was stored. */
  | 'CONFLICT'
  /** The subject has all the messages it may have. Nothing was stored. */
  | 'SUBJECT_FULL'
  /** The stream is full, the message too big, or the like. Nothing was stored. */
  | 'REFUSED';

export class BusError extends Error {
  readonly code: BusErrorCode;
  constructor(code: BusErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'BusError';
    this.code = code;
  }
}

export function isBusError(error: unknown, code: BusErrorCode): boolean {
  return error instanceof BusError && error.code === code;
}
