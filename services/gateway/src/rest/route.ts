/** The contract of an HTTP route; `edge/` serves it, routes know no uWebSockets. */
import { randomBytes } from 'node:crypto';
import { ERRORS, type ErrorCode } from '@natter/proto';

export interface HttpRequest {
  /** The decoded value of a parameter in the route's path. */
  param(name: string): string;
  /** The first value of a query parameter. */
  query(name: string): string | undefined;
  /** By lower-case name; empty when absent, or none the route may read. */
  header(name: string): string;
  /** Whole, at most the route's `maxBodyBytes`. Empty where that is 0, or where it is streamed. */
  body: Uint8Array;
  /**
   * Of a route that streams: the body as it comes, in pieces that are the reader's own. Little is read
   * ahead while the reader is busy (512 KiB, and what the kernel has then). Ends early, without an error, when the client goes
   * away (`signal`) or has been answered, and throws BodyTooLarge behind `maxBodyBytes`. Else empty.
   */
  pieces: AsyncIterable<Uint8Array>;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
}

export interface HttpReply {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array;
}

/** An answer that is written piece by piece: events, or a file. */
export interface StreamReply {
  status: number;
  headers: Record<string, string>;
  /** Bytes in all, sent as Content-Length; null: chunked, until `end`. */
  length: number | null;
  /**
   * Begins to write. Status and headers go out with the first piece, those of a chunked body at once:
   * what it throws before is answered (UNAVAILABLE, or INTERNAL and logged); after it, it is logged and
   * ends the connection. Not called for HEAD, for a client that has gone, nor above the caps on connections,
   * under which event streams fall.
   */
  stream(writer: BodyWriter): void | Promise<void>;
}

/** Writes the body of a StreamReply; safe to use after the client has gone, when it does nothing. */
export interface BodyWriter {
  /** False: it waits for the client; write no more before `drained`. Leave the bytes alone until then. */
  write(piece: string | Uint8Array): boolean;
  /** Resolves at once, or when what was written has been taken, or when the client has gone. */
  drained(): Promise<void>;
  /** Bytes that were written and not yet taken. */
  buffered(): number;
  /** A body of known length that ends early ends the connection. */
  end(): void;
  /**
   * Aborted when the client has gone, and for event streams when the gateway stops: end then. A body
   * of known length may be finished, for as long as the gateway waits for requests.
   */
  signal: AbortSignal;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';

/** The body of a streamed request goes on behind the route's `maxBodyBytes`. */
export class BodyTooLarge extends Error {
  readonly code = 'BODY_TOO_LARGE';
  constructor() {
    super('the body is larger than the route takes');
    this.name = 'BodyTooLarge';
  }
}

export interface Route {
  method: Method;
  /** Segments that begin with `:` are parameters: `/rooms/:room_id`; see path-pattern.ts. */
  path: string;
  /** 0: a body is not read, and not refused either. */
  maxBodyBytes: number;
  /** Headers it reads besides `authorization`, `traceparent` and `content-type`, in lower case. */
  headers?: readonly string[];
  /** Whether it reads `pieces` in place of `body`. */
  streamsBody?: boolean;
  handle(request: HttpRequest): Promise<HttpReply | StreamReply> | HttpReply | StreamReply;
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): HttpReply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(value),
  };
}

/** `{"error", "code", "correlation_id"}` with the status of the code. */
export function errorReply(
  code: ErrorCode,
  extra: {
    correlationId?: string;
    retryAfter?: number;
    allow?: string;
    upgrade?: string;
    fields?: Record<string, string>;
  } = {},
): HttpReply {
  const correlation_id = extra.correlationId ?? randomBytes(16).toString('hex');
  const headers: Record<string, string> = {};
  if (extra.retryAfter !== undefined) headers['retry-after'] = String(extra.retryAfter);
  if (extra.allow !== undefined) headers.allow = extra.allow;
  if (extra.upgrade !== undefined) headers.upgrade = extra.upgrade;
  if (code === 'AUTH_REQUIRED' || code === 'INVALID_TOKEN' || code === 'TOKEN_EXPIRED') {
    headers['www-authenticate'] = 'Bearer';
  }
  return json(
    ERRORS[code].status,
    { error: ERRORS[code].text, code, correlation_id, ...extra.fields },
    headers,
  );
}
