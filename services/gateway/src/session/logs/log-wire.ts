/** What the parts between the bus and a wire of logs say to each other. */
import type { CloseReason, ErrorCode, LogFilter, LogLevel } from '@natter/proto';

/** A line as readers see it; where it came from is told by its subject, which the broker has judged. */
export interface ShownLine {
  /** In LOGS. */
  seq: number;
  level: LogLevel;
  service: string;
  category: string;
  /** RFC 3339. */
  time: string;
  text: string;
  traceId: string | null;
  /** What else the line had. */
  fields: Record<string, unknown>;
}

/** How much of a line is sent: its text, its text and sequence, or all of it. */
export type LogFormat = 'plain' | 'seq' | 'full';

/** WebSocket frames, one a line, or server-sent events, as many as there are in one write. */
export type LogKind = 'frames' | 'events';

/** What a request asks for. */
export interface LogOpening {
  credential: string | null;
  filter: LogFilter;
  format: LogFormat;
  /** Lines of the past. */
  tail: number;
  /** The last sequence that the reader has. */
  cursor: number | null;
  /** Under which its position is kept. */
  name: string | null;
  /** Why the request can't be served. */
  problem: LogRefusal | null;
}

export interface LogRefusal {
  code: ErrorCode;
  /** The parameter or field that is to blame. */
  detail?: string;
  /** Seconds. */
  retryAfter?: number;
}

export type LogFrame = { ok: true; ack: number } | ({ ok: false } & LogRefusal);

/** Pure functions of one wire. */
export interface LogWire {
  open(request: { query(name: string): string | undefined; header(name: string): string }): LogOpening;
  decode(bytes: Uint8Array, isBinary: boolean): LogFrame;
  encodeLine(line: ShownLine, format: LogFormat): string;
  /** `count` lines were left out; null: nobody knows how many. */
  encodeGap(count: number | null): string;
  encodeError(refusal: LogRefusal): string;
  /** A frame as a server-sent event; `seq`: the id from which a client resumes. */
  asEvent(frame: string, seq: number | null): string;
}

/** Where the lines of one reader go. */
export interface LogOutlet {
  readonly kind: LogKind;
  readonly format: LogFormat;
  /** In order with what is published to the topics it joined. */
  send(pieces: readonly string[]): void;
  /** For `events` only: encoded once for all who get them, so these bytes stay as they are. */
  sendEvents(events: Uint8Array): void;
  /** Bytes that wait for the reader. */
  buffered(): number;
  /** For `frames` only. */
  join(topic: string): void;
  leave(topic: string): void;
  end(reason: CloseReason): void;
}
