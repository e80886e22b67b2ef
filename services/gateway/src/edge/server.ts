/** The edge: uWebSockets.js, its routes, its sockets, and their orderly end. */

import {
  App,
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_listen_socket,
  us_listen_socket_close,
  us_socket_local_port,
} from 'uWebSockets.js';
import type { Logger } from '@natter/runtime';
import type { GatewayMetrics } from '../metrics.ts';
import { matchesPath, methodsOf } from '../rest/path-pattern.ts';
import { errorReply, type HttpReply, type Route } from '../rest/route.ts';
import type { SocketRoute } from '../session/socket-session.ts';
import { Admission } from './admission.ts';
import { addressKey, TrustedProxies } from './client-address.ts';
import { HttpServer } from './http-server.ts';
import { Origins } from './origins.ts';
import { portTaken } from './port-taken.ts';
import { SocketServer } from './socket-server.ts';
import { writeReply } from './write-reply.ts';

export interface EdgeOptions {
  host: string;
  port: number;
  /** Whether other gateway processes listen on the port too; see processes/claim-port.ts. */
  sharePort: boolean;
  allowedOrigins: readonly string[];
  localhostAllowed: boolean;
  trustedProxies: readonly string[];
  maxConnections: number;
  maxConnectionsPerAddress: number;
  hardBufferBytes: number;
  heartbeatSeconds: number;
}

export interface EdgeDeps {
  sockets: readonly SocketRoute[];
  routes: readonly Route[];
  metrics: GatewayMetrics;
  log: Logger;
}

/** How long requests are still read whose connections were accepted just before the stop. */
const ACCEPTED_MS = 100;

/** How long a stop waits for HTTP requests that are being answered, or that never end. */
const FLUSH_MS = 2_000;

/** LIBUS_LISTEN_DEFAULT and LIBUS_LISTEN_EXCLUSIVE_PORT of uSockets; the package's types don't export them. */
const [SHARED_PORT, EXCLUSIVE_PORT] = [0, 1];

export class Edge {
  readonly #options: EdgeOptions;
  readonly #deps: EdgeDeps;
  readonly #app: TemplatedApp;
  readonly #proxies: TrustedProxies;
  readonly #admission: Admission;
  readonly #sockets: SocketServer;
  readonly #http: HttpServer;
  #listening: us_listen_socket | null = null;
  #draining = false;
  #refusing = false;

  constructor(options: EdgeOptions, deps: EdgeDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#proxies = new TrustedProxies(options.trustedProxies);
    this.#admission = new Admission(options);
    const shared = {
      admission: this.#admission,
      addressOf: (response: HttpResponse, request: HttpRequest) => this.#addressOf(response, request),
      draining: () => this.#refusing,
      log: deps.log,
    };
    this.#http = new HttpServer(shared);
    this.#sockets = new SocketServer({
      ...options,
      ...shared,
      origins: new Origins(options.allowedOrigins, options.localhostAllowed),
      metrics: deps.metrics,
    });
    this.#app = App();
    this.#http.serve(this.#app, deps.routes);
    for (const socket of deps.sockets) this.#sockets.serve(this.#app, socket);
    this.#addFallback();
  }

  /** WebSockets, upgraded or being upgraded, and event streams. */
  get connections(): number {
    return this.#admission.size;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** From now on so many connections in all; those above it stay. */
  setMaxConnections(count: number): void {
    this.#admission.setLimit(count);
  }

  /** Returns the port; rejects when it is taken. */
  listen(): Promise<number> {
    const { host, port, sharePort } = this.#options;
    return new Promise((resolve, reject) => {
      // The types lack this form. Without EXCLUSIVE two gateways would silently share the port.
      const listen = this.#app.listen as unknown as (
        host: string,
        port: number,
        options: number,
        listening: (socket: us_listen_socket | false) => void,
      ) => void;
      listen.call(this.#app, host, port, sharePort ? SHARED_PORT : EXCLUSIVE_PORT, (socket) => {
        if (socket === false) return reject(portTaken(host, port));
        this.#listening = socket;
        resolve(us_socket_local_port(socket as unknown as Parameters<typeof us_socket_local_port>[0]));
      });
    });
  }

  /** Sends a frame to every socket that joined the topic; see session/topics.ts. */
  publish(topic: string, frame: string): void {
    this.#app.publish(topic, frame, false, false);
  }

  /** Looks at the deadlines of all sessions and streams; call it every second. */
  tick(nowMs: number): void {
    this.#sockets.tick(nowMs);
    this.#http.tick(nowMs);
  }

  /** Takes no new sockets, then closes the open ones with 1012, 2 ms for each, `atMostMs` in all. */
  async drain(atMostMs: number): Promise<void> {
    this.#draining = true;
    await this.#stopListening();
    // What they ask is served like anything before; a socket among them is closed with the others.
    await new Promise((resolve) => setTimeout(resolve, ACCEPTED_MS));
    this.#refusing = true;
    this.#http.drain();
    await this.#sockets.drain(atMostMs);
    // What was asked before is answered; whoever waits for a run is told that we stop.
    const late = new Promise((resolve) => setTimeout(resolve, FLUSH_MS).unref());
    await Promise.race([this.#http.answered(), late]);
    this.#app.close();
  }

  /**
   * The kernel resets what waits to be accepted when a listener is closed, also where others share its
   * port (unless net.ipv4.tcp_migrate_req is 1). So it is closed just after a look at all sockets:
   * a second turn of the loop accepts what has come meanwhile.
   */
  #stopListening(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const close = () => {
      if (this.#listening !== null) us_listen_socket_close(this.#listening);
      this.#listening = null;
      resolve();
    };
    setImmediate(() => setImmediate(close));
    return promise;
  }

  #addressOf(response: HttpResponse, request: HttpRequest): string {
    const peer = Buffer.from(response.getRemoteAddressAsText()).toString('latin1');
    // Without proxies no header is believed, and every request would walk over all of its own.
    const forwarded = this.#options.trustedProxies.length === 0 ? '' : forwardedFor(request);
    return addressKey(this.#proxies.clientAddress(peer, forwarded));
  }

  /** Without it an unknown path would be closed in silence. */
  #addFallback(): void {
    const sockets = this.#deps.sockets.map(({ path }) => path);
    this.#app.any('/*', (response, request) => {
      const path = request.getUrl();
      const allowed = methodsOf(this.#deps.routes, path);
      const withoutBody = request.getMethod() === 'head';
      const refuse = (reply: HttpReply) => writeReply(response, reply, { withoutBody });
      // A route that is spelled out wins over a socket's parameter: /ws/test is no session.
      if (allowed.length > 0) refuse(errorReply('METHOD_NOT_ALLOWED', { allow: allowed.join(', ') }));
      else if (sockets.some((pattern) => matchesPath(pattern, path)))
        refuse(errorReply('UPGRADE_REQUIRED', { upgrade: 'websocket' }));
      else refuse(errorReply('NOT_FOUND'));
    });
  }
}

/** All lines of the header: a proxy may add one of its own behind the client's. */
function forwardedFor(request: HttpRequest): string {
  const lines: string[] = [];
  request.forEach((name, value) => {
    if (name === 'x-forwarded-for') lines.push(value);
  });
  return lines.join(',');
}
