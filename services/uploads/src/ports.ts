/** What the rooms of this service ask of each other: kinds, scanners, extractors of text. */

/** What a file turned out to be; `inline`: a browser may show it in place. */
export type Kind =
  | { ok: true; type: string; inline: boolean }
  | { ok: false; code: 'FILE_TYPE_MISMATCH' | 'FILE_TYPE_NOT_ALLOWED' };

/** Judges the content of one file against its name. */
export interface KindJudge {
  /** Every part, in order; `bytes` are the caller's again when it returns. */
  push(bytes: Uint8Array): void;
  /** Once, after the last part. */
  end(): Promise<Kind>;
}

/** Names and contents of files: what may be uploaded. */
export interface Kinds {
  /** A name made safe, at most 255 bytes; null where nothing is left of it. */
  safeFileName(raw: string): string | null;
  /** Whether the ending is on the list and hides no executable one. */
  allowedName(name: string): boolean;
  judge(name: string): KindJudge;
}

/**
 * What a scanner says. `unknown`: it could not judge the file.
 *
 * `fault`: it had the file, so another scan is likely to end so, too; `limits`: the file is above its
 * limits, so it will as long as those stay. Without one the scanner could not be asked.
 */
export type Verdict =
  | { verdict: 'clean' }
  | { verdict: 'infected'; signature: string }
  | { verdict: 'unknown'; reason: string; fault?: 'file' | 'limits' };

/** One file under scan. */
export interface ScanStream {
  /** `bytes` are the caller's again once it resolves. */
  push(bytes: Uint8Array): Promise<void>;
  /** Once, after the last part; failures are `unknown`, never thrown. */
  end(): Promise<Verdict>;
  /** Instead of `end`; harmless after it. */
  abort(): void;
}

export interface Scanner {
  /** Never throws: a scanner that is down says `unknown` at the end. */
  begin(): Promise<ScanStream>;
  /** Null: it can be asked; else why not. Never throws. */
  ping(): Promise<string | null>;
}

export interface TextExtractor {
  /** The text of a file, or null where it has none or it can't be had within the limits. */
  extract(
    file: { name: string; type: string },
    read: () => AsyncIterable<Uint8Array>,
  ): Promise<string | null>;
  close(): Promise<void>;
}
