/** Why the text of a file could not be had. */

export type TextErrorCode =
  /** It is broken, encrypted, or not what its name says. */
  | 'TEXT_UNREADABLE'
  /** It took longer than it may. */
  | 'TEXT_TIMEOUT'
  /** It took more memory, CPU time or output than it may, or broke the parser. */
  | 'TEXT_TOO_MUCH'
  /** Too many files wait. */
  | 'TEXT_BUSY'
  /** The service stops. */
  | 'TEXT_CLOSED';

/** Its message is for a log line, at most 200 characters of it from a parser. */
export class TextError extends Error {
  readonly code: TextErrorCode;

  constructor(code: TextErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
