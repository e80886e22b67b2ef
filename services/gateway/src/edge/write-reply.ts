/** Writes whole replies over uWebSockets.js. */
import type { HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import type { HttpReply } from '../rest/route.ts';

/** Writes a whole reply; call it within the handler or a cork. */
export function writeReply(
  response: HttpResponse,
  reply: HttpReply,
  { close = false, withoutBody = false } = {},
): void {
  writeHead(response, reply);
  if (!withoutBody) return void response.end(reply.body, close);
  // Not as its argument, not even undefined: uWebSockets would wait for a body of that length, and
  // a handler that returns meanwhile ends the process.
  response.writeHeader('content-length', String(Buffer.byteLength(reply.body)));
  response.endWithoutBody();
}

/** Writes status and headers; call it within the handler or a cork. */
export function writeHead(
  response: HttpResponse,
  { status, headers }: Pick<HttpReply, 'status' | 'headers'>,
): void {
  response.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
  for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
  response.writeHeader('x-content-type-options', 'nosniff');
}
