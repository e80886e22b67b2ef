/** The HTTP of the edge: routes, requests that are being answered, event streams within the caps. */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { Logger } from '@natter/runtime';
import { errorReply, type HttpReply, type Route, type StreamReply } from '../rest/route.ts';
import type { Admission } from './admission.ts';
import { serveRoute } from './http-exchange.ts';
import { StreamBody } from './stream-body.ts';
import { writeHead } from './write-reply.ts';

export interface HttpServerDeps {
  admission: Admission;
  /** What the peer of a request is counted under. */
  addressOf(response: HttpResponse, request: HttpRequest): string;
  draining(): boolean;
  log: Logger;
}

/** Names of the methods by which uWebSockets.js takes a route. */
const REGISTER = {
  GET: 'get',
  POST: 'post',
  PUT: 'put',
  PATCH: 'patch',
  DELETE: 'del',
  HEAD: 'head',
  OPTIONS: 'options',
} as const;

export class HttpServer {
  readonly #deps: HttpServerDeps;
  /** Requests that have no reply yet, or only a part of it. */
  readonly #exchanges = new Set<Promise<void>>();
  readonly #streams = new Set<StreamBody>();

  constructor(deps: HttpServerDeps) {
    this.#deps = deps;
  }

  serve(app: TemplatedApp, routes: readonly Route[]): void {
    for (const route of routes) {
      const { method, path } = route;
      app[REGISTER[method]](path, this.#handler(route, method === 'HEAD'));
      // Probes of load balancers ask with HEAD.
      const hasHead = routes.some((other) => other.method === 'HEAD' && other.path === path);
      if (method === 'GET' && !hasHead) app.head(path, this.#handler(route, true));
    }
  }

  /** Looks at the deadlines of streamed replies. */
  tick(nowMs: number): void {
    for (const stream of this.#streams) stream.tick(nowMs);
  }

  /** Event streams are to end. */
  drain(): void {
    for (const stream of this.#streams) stream.drain();
  }

  /** Resolves when what was asked before has been answered. */
  async answered(): Promise<void> {
    await Promise.all(this.#exchanges);
  }

  #handler(route: Route, withoutBody: boolean) {
    return (response: HttpResponse, request: HttpRequest) => {
      const addressKey = this.#deps.addressOf(response, request);
      const exchange = serveRoute(route, response, request, {
        log: this.#deps.log,
        withoutBody,
        openStream: (to, reply) => this.#openStream(to, reply, addressKey),
      });
      this.#exchanges.add(exchange);
      void exchange.then(() => this.#exchanges.delete(exchange));
    };
  }

  #openStream(response: HttpResponse, reply: StreamReply, addressKey: string): StreamBody | HttpReply {
    const { length } = reply;
    const { admission, draining } = this.#deps;
    const counts = length === null;
    if (counts && draining()) return errorReply('SHUTTING_DOWN');
    if (counts && !admission.admit(addressKey)) return errorReply('TOO_MANY_CONNECTIONS');
    const stream = new StreamBody(response, length, () => writeHead(response, reply));
    this.#streams.add(stream);
    void stream.finished.then(() => {
      this.#streams.delete(stream);
      if (counts) admission.release(addressKey);
    });
    return stream;
  }
}
