/** The edge: uWebSockets.js, its routes, its sockets, and their orderly end. */

import {
  App,
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_listen_socket,
  us_listen_socket_close,
  type us_socket_context_t,
  us_socket_local_port,
  type WebSocket,
} from 'uWebSockets.js';
import type { Logger } from '@natter/runtime';
import type { GatewayMetrics } from '../metrics.ts';
import { matchesPath, methodsOf } from '../rest/path-pattern.ts';
import { errorReply, type HttpReply, type Route } from '../rest/route.ts';
import type { SessionContext } from '../session/context.ts';
import { Counted } from '../session/counted.ts';
import type { Dialect, Handshake } from '../session/dialect.ts';
import { Session } from '../session/session.ts';
import type { SessionRegistry } from '../session/session-registry.ts';
import { addressKey, TrustedProxies } from './client-address.ts';
import { type ConnectionData, UwsSocket } from './connection.ts';
import { serveRoute, writeReply } from './http-exchange.ts';
import { Origins } from './origins.ts';

export interface EdgeOptions {
  host: string;
  port: number;
  allowedOrigins: readonly string[];
  localhostAllowed: boolean;
  trustedProxies: readonly string[];
  maxConnections: number;
  maxConnectionsPerAddress: number;
  maxFrameBytes: number;
  hardBufferBytes: number;
  heartbeatSeconds: number;
}

export interface EdgeDeps {
  dialects: readonly Dialect[];
  routes: readonly Route[];
  context: SessionContext;
  sessions: SessionRegistry;
  metrics: GatewayMetrics;
  log: Logger;
}

/** uWebSockets closes with 1006 above this; between it and our own limit the peer is told 1009. */
const MAX_READ_BYTES = 16 * 1024 * 1024;

/** How long a stop waits for HTTP requests that are being answered, or that never end. */
const FLUSH_MS = 2_000;

/** LIBUS_LISTEN_EXCLUSIVE_PORT of uSockets; the package's types don't export it. */
const EXCLUSIVE_PORT = 1;

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

export class Edge {
  readonly #options: EdgeOptions;
  readonly #deps: EdgeDeps;
  readonly #app: TemplatedApp;
  readonly #origins: Origins;
  readonly #proxies: TrustedProxies;
  readonly #addresses: Counted;
  /** HTTP requests that have no reply yet. */
  readonly #exchanges = new Set<Promise<void>>();
  /** Upgraded or being upgraded. */
  #connections = 0;
  #listening: us_listen_socket | null = null;
  #draining = false;

  constructor(options: EdgeOptions, deps: EdgeDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#origins = new Origins(options.allowedOrigins, options.localhostAllowed);
    this.#proxies = new TrustedProxies(options.trustedProxies);
    this.#addresses = new Counted(options.maxConnectionsPerAddress);
    this.#app = App();
    for (const route of deps.routes) this.#addRoute(route);
    for (const dialect of deps.dialects) this.#addDialect(dialect);
    this.#addFallback();
  }

  get connections(): number {
    return this.#connections;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Returns the port; rejects when it is taken. */
  listen(): Promise<number> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      // The types lack this form. Without EXCLUSIVE two gateways would silently share the port.
      const listen = this.#app.listen as unknown as (
        host: string,
        port: number,
        options: number,
        listening: (socket: us_listen_socket | false) => void,
      ) => void;
      listen.call(this.#app, host, port, EXCLUSIVE_PORT, (socket) => {
        if (socket === false)
          return reject(new Error(`Port ${port} on ${host} is in use; set PORT to another one.`));
        this.#listening = socket;
        resolve(us_socket_local_port(socket as unknown as Parameters<typeof us_socket_local_port>[0]));
      });
    });
  }

  /** Sends a frame to every socket that joined the topic; see session/topics.ts. */
  publish(topic: string, frame: string): void {
    this.#app.publish(topic, frame, false, false);
  }

  /** Looks at the deadlines of all sessions; call it every second. */
  tick(nowMs: number): void {
    for (const session of this.#deps.sessions) session.tick(nowMs);
  }

  /** Takes no new sockets, then closes the open ones with 1012, spread over `spreadMs`. */
  async drain(spreadMs: number): Promise<void> {
    this.#draining = true;
    if (this.#listening !== null) us_listen_socket_close(this.#listening);
    this.#listening = null;
    const sessions = [...this.#deps.sessions];
    const steps = Math.min(20, sessions.length);
    for (let step = 0; step < steps; step += 1) {
      const share = sessions.slice((step * sessions.length) / steps, ((step + 1) * sessions.length) / steps);
      for (const session of share) session.close('goingAway');
      await new Promise((resolve) => setTimeout(resolve, spreadMs / steps));
    }
    // What was asked before is answered; whoever waits for a run is told that we stop.
    const late = new Promise((resolve) => setTimeout(resolve, FLUSH_MS).unref());
    await Promise.race([Promise.all(this.#exchanges), late]);
    this.#app.close();
  }

  #addRoute(route: Route): void {
    const serve = (withoutBody: boolean) => (response: HttpResponse, request: HttpRequest) => {
      const exchange = serveRoute(route, response, request, this.#deps.log, withoutBody);
      this.#exchanges.add(exchange);
      void exchange.then(() => this.#exchanges.delete(exchange));
    };
    this.#app[REGISTER[route.method]](route.path, serve(false));
    // Probes of load balancers ask with HEAD.
    if (route.method === 'GET') this.#app.head(route.path, serve(true));
  }

  #addDialect(dialect: Dialect): void {
    const { maxFrameBytes, hardBufferBytes, heartbeatSeconds } = this.#options;
    this.#app.ws<ConnectionData>(dialect.path, {
      maxPayloadLength: MAX_READ_BYTES,
      // Twice ours, so that the close frame of a slow reader still fits.
      maxBackpressure: hardBufferBytes * 2,
      closeOnBackpressureLimit: false,
      idleTimeout: heartbeatSeconds + pongSeconds(heartbeatSeconds),
      sendPingsAutomatically: true,
      upgrade: (response, request, context) => this.#upgrade(dialect, response, request, context),
      open: (ws) => this.#guard(ws, (data) => this.#open(dialect, ws, data)),
      message: (ws, message, isBinary) =>
        this.#guard(ws, ({ session }) => {
          if (message.byteLength > maxFrameBytes) session?.close('frameTooLarge');
          else session?.receive(new Uint8Array(message), isBinary);
        }),
      ping: (ws) => this.#guard(ws, ({ session }) => session?.receiveControl()),
      pong: (ws) => this.#guard(ws, ({ session }) => session?.receiveControl()),
      // Published frames are dropped in silence otherwise (PITFALLS).
      dropped: (ws) => this.#guard(ws, ({ session }) => session?.dropped()),
      drain: (ws) => this.#guard(ws, ({ session }) => session?.drained()),
      close: (ws) => this.#closed(ws.getUserData()),
    });
  }

  #upgrade(
    dialect: Dialect,
    response: HttpResponse,
    request: HttpRequest,
    context: us_socket_context_t,
  ): void {
    const peer = Buffer.from(response.getRemoteAddressAsText()).toString();
    const key = addressKey(this.#proxies.clientAddress(peer, forwardedFor(request)));
    const foreignOrigin = !this.#origins.allows(request.getHeader('origin'));
    const refusal = this.#refusal(key, foreignOrigin && dialect.manner.originRefusal === 'http');
    if (refusal !== null) {
      this.#deps.metrics.refusedUpgrades.inc({ code: refusal });
      return writeReply(response, errorReply(refusal));
    }
    const opening = dialect.open(handshakeOf(request));
    this.#connections += 1;
    const data: ConnectionData = { opening, foreignOrigin, addressKey: key, session: null, socket: null };
    response.upgrade(
      data,
      request.getHeader('sec-websocket-key'),
      request.getHeader('sec-websocket-protocol'),
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  }

  /** Why this upgrade is refused, or null; counts the address when it isn't. */
  #refusal(key: string, foreignOrigin: boolean) {
    if (this.#draining) return 'SHUTTING_DOWN';
    if (foreignOrigin) return 'FORBIDDEN_ORIGIN';
    if (this.#connections >= this.#options.maxConnections) return 'TOO_MANY_CONNECTIONS';
    return this.#addresses.add(key) ? null : 'TOO_MANY_CONNECTIONS';
  }

  #open(dialect: Dialect, ws: WebSocket<ConnectionData>, data: ConnectionData): void {
    data.socket = new UwsSocket(ws);
    const session = new Session(this.#deps.context, dialect, data.socket, data.opening);
    data.session = session;
    this.#deps.sessions.add(session);
    if (data.foreignOrigin) session.close('forbiddenOrigin');
    else session.open();
  }

  #closed(data: ConnectionData): void {
    this.#connections -= 1;
    this.#addresses.remove(data.addressKey);
    data.socket?.detach();
    data.session?.ended();
    if (data.session !== null) this.#deps.sessions.delete(data.session);
  }

  /** A throw in a callback of uWebSockets would end the process; it ends the connection instead. */
  #guard(ws: WebSocket<ConnectionData>, act: (data: ConnectionData) => void): void {
    const data = ws.getUserData();
    try {
      act(data);
    } catch (err) {
      this.#deps.log.error({ err }, 'a connection failed');
      data.session?.close('internalError');
    }
  }

  /** Without it an unknown path would be closed in silence. */
  #addFallback(): void {
    const sockets = this.#deps.dialects.map((dialect) => dialect.path);
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

/**
 * How long uWebSockets waits for the answer to its ping: it pings when the rest of `idleTimeout`
 * is this (WebSocketContextData.h, calculateIdleTimeoutCompnents).
 */
function pongSeconds(heartbeatSeconds: number): number {
  return heartbeatSeconds >= 16 ? 16 : 8;
}

/** All lines of the header: a proxy may add one of its own behind the client's. */
function forwardedFor(request: HttpRequest): string {
  const lines: string[] = [];
  request.forEach((name, value) => {
    if (name === 'x-forwarded-for') lines.push(value);
  });
  return lines.join(',');
}

/** Reads lazily: `request` is dead once the upgrade handler has returned. */
function handshakeOf(request: HttpRequest): Handshake {
  const query = new URLSearchParams(request.getQuery());
  return {
    param: () => decoded(request.getParameter(0) ?? ''),
    query: (name) => query.get(name) ?? undefined,
    queries: (name) => query.getAll(name),
    header: (name) => request.getHeader(name),
  };
}

/** A malformed escape reads as absent. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
