/**
 * The contract of a dialect: one wire protocol in one version, as pure functions.
 *
 * No I/O, no clock, no logger. `decode` never throws on a peer's input. What it encodes once may
 * be sent to many connections.
 */
import type { CloseEntry, CloseReason, ErrorCode, Principal, RunEvent } from '@natter/proto';

/** What a client wants, in words that no wire owns. */
export type Command =
  | { type: 'authenticate'; token: string }
  | {
      type: 'ask';
      /** May be blank or too long: the session says so, after it has looked at the principal. */
      text: string;
      /** The conversation's name; null for the connection's own. */
      session: string | null;
      customerId: string | null;
      /** Null when the client numbers nothing. */
      messageId: string | null;
    };

export type Decoded = { ok: true; command: Command } | { ok: false; code: ErrorCode };

/** What is known of a run when one of its events is encoded; includes that event. */
export interface RunText {
  /** The client's name of the conversation. */
  readonly session: string;
  /** The answer so far. */
  readonly text: string;
  /** The same, escaped as the inside of a JSON string; kept up so that no frame escapes it anew. */
  readonly textJson: string;
}

/** The parts of an upgrade request a dialect may read. */
export interface Handshake {
  query(name: string): string | undefined;
  /** By lower-case name; empty when absent. */
  header(name: string): string;
}

export interface ErrorDetail {
  correlationId: string;
  /** Seconds after which the same request may succeed. */
  retryAfter?: number;
}

export interface Dialect {
  readonly name: string;
  /** Path pattern of uWebSockets.js (`/ws/:session_id`). */
  readonly path: string;
  /** The token an upgrade request carries, or null. */
  credentials(handshake: Handshake): string | null;
  decode(bytes: Uint8Array, isBinary: boolean): Decoded;
  encodeAuthenticated(principal: Principal): string;
  encodeRefused(code: 'INVALID_TOKEN' | 'TOKEN_EXPIRED', detail: ErrorDetail): string;
  encodeError(code: ErrorCode, detail: ErrorDetail): string;
  /** The frame of an event, or null where the wire has none for it. */
  encodeEvent(event: RunEvent, run: RunText): string | null;
  /** Close codes in which this wire differs from the table. */
  readonly closes: Partial<Record<CloseReason, Pick<CloseEntry, 'code' | 'reason'>>>;
}
