/** Writes replies over uWebSockets.js; call these within the handler or a cork. */
import type { HttpResponse } from 'uWebSockets.js';
import { http } from '@natter/runtime';
import type { HttpReply } from '../rest/route.ts';

/** RFC 9110 section 8.6: there is no body, and no Content-Length either. */
const WITHOUT_LENGTH = [204, 304];

/** Writes a whole reply; `withoutBody` for HEAD. */
export function writeReply(response: HttpResponse, reply: HttpReply, { withoutBody = false } = {}): void {
  const { status, headers, body } = reply;
  if (WITHOUT_LENGTH.includes(status)) return writeEmpty(response, reply);
  if (withoutBody) {
    // A HEAD route of its own may know the length without making the body.
    const length = headers['content-length'] ?? String(Buffer.byteLength(body));
    return writeEmpty(response, { status, headers: { ...headers, 'content-length': length } });
  }
  writeHead(response, reply);
  response.end(body);
}

/** Writes a reply that ends with its headers. */
export function writeEmpty(response: HttpResponse, head: Pick<HttpReply, 'status' | 'headers'>): void {
  writeHead(response, head);
  // Without an argument, not even undefined: uWebSockets would wait for a body of that length, and a
  // handler that returns meanwhile ends the process.
  response.endWithoutBody();
}

/** Writes status and headers. */
export function writeHead(
  response: HttpResponse,
  { status, headers }: Pick<HttpReply, 'status' | 'headers'>,
): void {
  response.writeStatus(`${status} ${http.STATUS_CODES[status] ?? ''}`);
  for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
  response.writeHeader('x-content-type-options', 'nosniff');
}
