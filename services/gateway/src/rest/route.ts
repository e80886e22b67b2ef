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
  /** Whole, at most the route's `maxBodyBytes`. Empty where that is 0. */
  body: Uint8Array;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
}

export interface HttpReply {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Route {
  method: Method;
  /** Segments that begin with `:` are parameters: `/rooms/:room_id`; see path-pattern.ts. */
  path: string;
  /** 0: a body is not read, and not refused either. */
  maxBodyBytes: number;
  /** Headers it reads besides `authorization`, `traceparent` and `content-type`, in lower case. */
  headers?: readonly string[];
  handle(request: HttpRequest): Promise<HttpReply> | HttpReply;
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
