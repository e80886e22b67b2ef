/** A file that somebody sends with no good in mind, and what must become of it. */
import type { ErrorCode } from '@natter/proto';

export interface HostileFile {
  /** What is wrong with it, for the title of a test. */
  what: string;
  /** As it is sent. */
  name: string;
  declaredType: string | null;
  bytes(): Uint8Array;
  /** What is sent instead of the truth; `skipChunk` is the index of a part that is never sent. */
  lie?: { size?: number; sha256?: string; skipChunk?: number };
  /** `served-as-attachment`: harmless once it is served as what it is, to be saved and never shown. */
  expect: ErrorCode | 'served-as-attachment';
  /** Of a file that is served: the name it has then. */
  servedName?: string;
  /** Only a scanner can tell. */
  needsScanner?: boolean;
  /** With clamd's limits as in `startClamd` it is too much to judge: it stays quarantined there. */
  overScannerLimits?: boolean;
  /** When it is refused at the latest; of what is served, when it was last looked at. */
  stage: 'init' | 'chunk' | 'finalize';
}

/** In parts of this length the files are as hostile as they are meant: where they are cut counts. */
export const HOSTILE_PART_BYTES = 65_536;

export function text(value: string): () => Uint8Array {
  return () => Buffer.from(value);
}

/** So many bytes of harmless text. */
export function harmless(bytes: number): Uint8Array {
  return Buffer.alloc(bytes, 'All is well. ');
}
