/** Serves one route over uWebSockets.js: body within its limit, abort, one reply. */

import type { HttpResponse, HttpRequest as UwsRequest } from 'uWebSockets.js';
import type { Logger } from '@natter/runtime';
import { isBusError } from '@natter/runtime';
import { paramsOf } from '../rest/path-pattern.ts';
import { errorReply, type HttpReply, type Route } from '../rest/route.ts';
import { writeReply } from './write-reply.ts';

/** Headers every route may read; `req` is dead once the handler has returned. */
const READABLE_HEADERS = ['authorization', 'traceparent', 'content-type'] as const;

/**
 * Answers one request; `withoutBody` for HEAD.
 *
 * Resolves when the reply was written or the client has gone.
 */
export function serveRoute(
  route: Route,
  response: HttpResponse,
  request: UwsRequest,
  log: Logger,
  withoutBody = false,
): Promise<void> {
  const names = [...READABLE_HEADERS, ...(route.headers ?? [])];
  const headers = new Map<string, string>(names.map((name) => [name, request.getHeader(name)]));
  const query = request.getQuery();
  const params = paramsOf(route.path, request.getUrl());
  const abort = new AbortController();
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  response.onAborted(() => {
    abort.abort();
    finish();
  });
  const answer = async (body: Uint8Array) => {
    const reply = await handle(
      route,
      {
        param: (name) => params?.get(name) ?? '',
        query: (name) => new URLSearchParams(query).get(name) ?? undefined,
        header: (name) => headers.get(name) ?? '',
        body,
        pieces: (async function* () {})(),
        signal: abort.signal,
      },
      log,
    );
    if (!abort.signal.aborted) response.cork(() => writeReply(response, reply, { withoutBody }));
    finish();
  };
  if (params === null) {
    // In its path, where an escape is malformed or no UTF-8.
    writeReply(response, errorReply('INVALID_FIELD'), { withoutBody });
    finish();
  } else if (route.maxBodyBytes === 0) void answer(new Uint8Array());
  else readBody(response, route.maxBodyBytes, abort.signal, answer, finish);
  return finished;
}

async function handle(
  route: Route,
  request: Parameters<Route['handle']>[0],
  log: Logger,
): Promise<HttpReply> {
  try {
    const reply = await route.handle(request);
    if ('stream' in reply) throw new Error('streamed replies are not served yet');
    return reply;
  } catch (err) {
    if (isBusError(err, 'UNAVAILABLE')) return errorReply('UNAVAILABLE');
    const reply = errorReply('INTERNAL');
    log.error({ err, route: route.path, reply: reply.body }, 'a route failed');
    return reply;
  }
}

function readBody(
  response: HttpResponse,
  maxBytes: number,
  signal: AbortSignal,
  done: (body: Uint8Array) => Promise<void>,
  refusedBody: () => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  let refused = false;
  response.onData((chunk, isLast) => {
    if (refused || signal.aborted) return;
    size += chunk.byteLength;
    if (size > maxBytes) {
      refused = true;
      // Closing is the only way to stop a client that goes on sending.
      response.cork(() => writeReply(response, errorReply('BODY_TOO_LARGE'), { close: true }));
      refusedBody();
      return;
    }
    // The chunk's memory is uWebSockets' own and gone after this call.
    chunks.push(Buffer.from(Buffer.from(chunk)));
    if (isLast) void done(Buffer.concat(chunks));
  });
}
