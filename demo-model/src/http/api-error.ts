/** An error that a client gets, in the shape of OpenAI's API. */
import type { ServerResponse } from 'node:http';

export interface ApiErrorDetails {
  status: number;
  message: string;
  code: string;
  /** Unset: by status. */
  type?: string;
  /** The field at fault. */
  param?: string | null;
  headers?: Record<string, string>;
}

export class ApiError extends Error {
  readonly code: string;
  readonly details: ApiErrorDetails;

  constructor(details: ApiErrorDetails) {
    super(details.message);
    this.name = 'ApiError';
    this.code = details.code;
    this.details = details;
  }
}

/** Sends it, or ends the connection where headers are gone already. */
export function sendError(response: ServerResponse, error: ApiError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, message, code, type = typeOf(status), param = null, headers = {} } = error.details;
  sendJson(response, status, { error: { message, type, param, code } }, headers);
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function typeOf(status: number): string {
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}
