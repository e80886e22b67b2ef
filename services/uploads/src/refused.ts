/** What a client did wrong, in the code it is told. */
import type { ErrorCode } from '@natter/proto';

export class Refused extends Error {
  readonly code: ErrorCode;
  /** Of UPLOAD_INCOMPLETE: the first of the indexes that are missing. */
  readonly missing: number[] | undefined;

  constructor(code: ErrorCode, missing?: number[]) {
    super(code);
    this.name = 'Refused';
    this.code = code;
    this.missing = missing;
  }
}
