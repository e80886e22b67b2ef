/** What a client did wrong, in the code it is told. */
import type { ErrorCode } from '@natter/proto';

export class Refused extends Error {
  readonly code: ErrorCode;
  /** Of UPLOAD_INCOMPLETE: the first of the indexes that are missing. */
  readonly missing: number[] | undefined;
  /** For the client; no internals. */
  readonly detail: string | undefined;

  constructor(code: ErrorCode, { missing, detail }: { missing?: number[]; detail?: string } = {}) {
    super(code);
    this.name = 'Refused';
    this.code = code;
    this.missing = missing;
    this.detail = detail;
  }
}
