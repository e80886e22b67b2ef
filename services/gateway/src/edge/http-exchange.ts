/** Serves one request over uWebSockets.js: its body, its abort, one reply, whole or streamed. */
import type { HttpResponse, HttpRequest as UwsRequest } from 'uWebSockets.js';
import type { Logger } from '@natter/runtime';
import { isBusError } from '@natter/runtime';
import { paramsOf } from '../rest/path-pattern.ts';
import { BodyTooLarge, errorReply, type HttpReply, type Route, type StreamReply } from '../rest/route.ts';
import { RequestBody } from './request-body.ts';
import type { StreamBody } from './stream-body.ts';
import { writeEmpty, writeReply } from './write-reply.ts';

/** Headers every route may read; `req` is dead once the handler has returned. */
const READABLE_HEADERS = ['authorization', 'traceparent', 'content-type'] as const;

export interface ExchangeOptions {
  log: Logger;
  /** HEAD. */
  withoutBody: boolean;
  /** Counts a streamed reply that is about to begin; or says why it must not. */
  openStream(response: HttpResponse, reply: StreamReply): StreamBody | HttpReply;
}

/** Resolves when the reply was written or the client has gone. */
export function serveRoute(
  route: Route,
  response: HttpResponse,
  request: UwsRequest,
  options: ExchangeOptions,
): Promise<void> {
  const exchange = new Exchange(route, response, options);
  exchange.begin(request);
  return exchange.finished;
}

class Exchange {
  readonly #route: Route;
  readonly #response: HttpResponse;
  readonly #options: ExchangeOptions;
  readonly #abort = new AbortController();
  readonly #finished = Promise.withResolvers<void>();
  #body: RequestBody | null = null;
  #stream: StreamBody | null = null;
  /** Also a page must be able to read why a file could not be sent. */
  #crossOrigin: Record<string, string> = {};

  constructor(route: Route, response: HttpResponse, options: ExchangeOptions) {
    this.#route = route;
    this.#response = response;
    this.#options = options;
    response.onAborted(() => this.#aborted());
  }

  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  begin(request: UwsRequest): void {
    const { maxBodyBytes, path, headers: names = [] } = this.#route;
    const params = paramsOf(path, request.getUrl());
    // In its path, where an escape is malformed or no UTF-8.
    if (params === null) return this.#reply(errorReply('INVALID_FIELD'));
    if (maxBodyBytes > 0) {
      if (Number(request.getHeader('content-length')) > maxBodyBytes) return this.#refuseBody();
      const hasLength = request.getHeader('transfer-encoding') === '';
      this.#body = new RequestBody(this.#response, { maxBytes: maxBodyBytes, hasLength });
    }
    const headers = new Map([...READABLE_HEADERS, ...names].map((name) => [name, request.getHeader(name)]));
    // Of HEAD it is ignored. Source: RFC 9110 section 14.2.
    if (this.#options.withoutBody) headers.delete('range');
    const query = request.getQuery();
    void this.#answer({
      param: (name) => params.get(name) ?? '',
      query: (name) => new URLSearchParams(query).get(name) ?? undefined,
      header: (name) => headers.get(name) ?? '',
      signal: this.#abort.signal,
    });
  }

  async #answer(request: Omit<Parameters<Route['handle']>[0], 'body' | 'pieces'>): Promise<void> {
    try {
      const streamed = this.#route.streamsBody === true;
      const body = streamed ? null : await this.#body?.whole();
      if (this.#abort.signal.aborted) return;
      const pieces = (streamed ? this.#body : null) ?? noPieces();
      const reply = await this.#route.handle({ ...request, body: body ?? new Uint8Array(), pieces });
      if (this.#abort.signal.aborted) return;
      if ('stream' in reply) await this.#replyStream(reply);
      else this.#reply(reply);
    } catch (err) {
      this.#failed(err);
    }
  }

  #failed(err: unknown): void {
    // What a route does for a client that has gone may fail, and nobody misses it.
    if (this.#abort.signal.aborted) return this.#options.log.debug({ err }, 'a request was given up');
    if (err instanceof BodyTooLarge) return this.#reply(errorReply('BODY_TOO_LARGE'));
    const begun = this.#stream?.begun === true;
    if (!begun && isBusError(err, 'UNAVAILABLE')) return this.#replyInstead(errorReply('UNAVAILABLE'));
    const reply = errorReply('INTERNAL');
    this.#options.log.error({ err, route: this.#route.path, reply: reply.body }, 'a route failed');
    if (begun) this.#stream?.cutOff();
    else this.#replyInstead(reply);
  }

  /** In place of a body of which nothing was sent yet, not even the status. */
  #replyInstead(reply: HttpReply): void {
    this.#stream?.gone();
    this.#reply({ ...reply, headers: { ...reply.headers, ...this.#crossOrigin } });
  }

  /** At once: nothing of it is read. Closing here would reset the connection before the client has read why. */
  #refuseBody(): void {
    this.#response.pause();
    this.#write(errorReply('BODY_TOO_LARGE'), true);
  }

  #reply(reply: HttpReply): void {
    const goesOn = this.#body?.leave() ?? true;
    this.#write(reply, !goesOn);
  }

  #write(reply: HttpReply, ends: boolean): void {
    const headers = ends ? { ...reply.headers, connection: 'close' } : reply.headers;
    const { withoutBody } = this.#options;
    this.#response.cork(() => writeReply(this.#response, { ...reply, headers }, { withoutBody }));
    this.#finished.resolve();
  }

  async #replyStream(reply: StreamReply): Promise<void> {
    if (this.#options.withoutBody) return this.#replyHead(reply);
    const opened = this.#options.openStream(this.#response, reply);
    if ('status' in opened) return this.#reply(opened);
    this.#body?.leave();
    this.#stream = opened;
    this.#crossOrigin = crossOriginOf(reply.headers);
    // Whoever reads events waits for the headers; those of a file go with its first piece.
    if (reply.length === null) opened.begin();
    void opened.finished.then(this.#finished.resolve);
    await reply.stream(opened);
  }

  #replyHead({ status, headers, length }: StreamReply): void {
    this.#body?.leave();
    const head = length === null ? headers : { ...headers, 'content-length': String(length) };
    this.#response.cork(() => writeEmpty(this.#response, { status, headers: head }));
    this.#finished.resolve();
  }

  #aborted(): void {
    this.#body?.gone();
    this.#stream?.gone();
    this.#abort.abort();
    this.#finished.resolve();
  }
}

function crossOriginOf(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name === 'vary' || name.startsWith('access-control-')),
  );
}

async function* noPieces(): AsyncGenerator<Uint8Array> {}
