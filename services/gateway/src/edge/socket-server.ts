/** The WebSockets of the edge, of any wire: upgrades, caps, one session for each, their end. */
import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import { CLOSES } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import type { GatewayMetrics } from '../metrics.ts';
import { errorReply } from '../rest/route.ts';
import type { SocketRoute, SocketSession } from '../session/socket-session.ts';
import type { Admission } from './admission.ts';
import { type ConnectionData, UwsSocket } from './connection.ts';
import type { Origins } from './origins.ts';
import { UpgradeHandshake } from './upgrade-handshake.ts';
import { writeReply } from './write-reply.ts';

export interface SocketServerDeps {
  admission: Admission;
  origins: Origins;
  /** What the peer of a request is counted under. */
  addressOf(response: HttpResponse, request: HttpRequest): string;
  draining(): boolean;
  hardBufferBytes: number;
  heartbeatSeconds: number;
  metrics: GatewayMetrics;
  log: Logger;
}

/** uWebSockets closes with 1006 above this; between it and our own limit the peer is told 1009. */
const MAX_READ_BYTES = 16 * 1024 * 1024;

/** For each connection that is sent away: half of what gateway, auth and broker could take back elsewhere. */
const CLOSE_EVERY_MS = 2;
const CLOSE_STEP_MS = 50;

export class SocketServer {
  readonly #deps: SocketServerDeps;
  readonly #sessions = new Set<SocketSession>();

  constructor(deps: SocketServerDeps) {
    this.#deps = deps;
  }

  /** Looks at the deadlines of the sessions that are due. */
  tick(nowMs: number): void {
    for (const session of this.#sessions) if (session.dueAtMs <= nowMs) session.tick(nowMs);
  }

  /** Closes what is open now with 1012, evenly, in `atMostMs`. */
  async drain(atMostMs: number): Promise<void> {
    const sessions = [...this.#sessions];
    const count = sessions.length;
    const spreadMs = Math.min(atMostMs, count * CLOSE_EVERY_MS);
    const steps = Math.ceil(spreadMs / CLOSE_STEP_MS) || 1;
    for (let step = 0; step < steps; step += 1) {
      const share = sessions.slice((step * count) / steps, ((step + 1) * count) / steps);
      for (const session of share) session.close('goingAway');
      await new Promise((resolve) => setTimeout(resolve, spreadMs / steps));
    }
  }

  serve(app: TemplatedApp, route: SocketRoute): void {
    const { hardBufferBytes, heartbeatSeconds } = this.#deps;
    const { maxFrameBytes } = route;
    app.ws<ConnectionData>(route.path, {
      maxPayloadLength: Math.max(MAX_READ_BYTES, maxFrameBytes),
      // Twice ours, so that the close frame of a slow reader still fits.
      maxBackpressure: hardBufferBytes * 2,
      closeOnBackpressureLimit: false,
      idleTimeout: heartbeatSeconds + pongSeconds(heartbeatSeconds),
      sendPingsAutomatically: true,
      upgrade: (response, request, context) => this.#upgrade(route, response, request, context),
      open: (ws) => this.#guard(ws, (data) => this.#open(ws, data)),
      message: (ws, message, isBinary) =>
        this.#guard(ws, ({ session }) => {
          if (message.byteLength > maxFrameBytes) session?.close('frameTooLarge');
          else session?.receive(new Uint8Array(message), isBinary);
        }),
      ping: (ws) => this.#guard(ws, ({ session }) => session?.receivePing()),
      // All that idle connections do: no closure for each.
      pong: (ws) => this.#guard(ws, receivePong),
      // Published frames are dropped in silence otherwise (PITFALLS).
      dropped: (ws) => this.#guard(ws, ({ session }) => session?.dropped()),
      drain: (ws) => this.#guard(ws, ({ session }) => session?.drained()),
      close: (ws) => this.#closed(ws.getUserData()),
    });
  }

  #upgrade(
    route: SocketRoute,
    response: HttpResponse,
    request: HttpRequest,
    context: us_socket_context_t,
  ): void {
    const addressKey = this.#deps.addressOf(response, request);
    const foreignOrigin = !this.#deps.origins.allows(request.getHeader('origin'));
    const refusal = this.#refusal(addressKey, foreignOrigin && route.originRefusal === 'http');
    if (refusal !== null) {
      this.#deps.metrics.refusedUpgrades.inc({ code: refusal });
      return writeReply(response, errorReply(refusal));
    }
    const begin = this.#accept(route, request);
    if (begin === null) {
      this.#deps.admission.release(addressKey);
      return writeReply(response, errorReply('INTERNAL'));
    }
    const data: ConnectionData = { begin, foreignOrigin, addressKey, session: null, socket: null };
    response.upgrade(
      data,
      request.getHeader('sec-websocket-key'),
      request.getHeader('sec-websocket-protocol'),
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  }

  /** Why this upgrade is refused, or null; then it is counted. */
  #refusal(addressKey: string, foreignOrigin: boolean) {
    if (this.#deps.draining()) return 'SHUTTING_DOWN';
    if (foreignOrigin) return 'FORBIDDEN_ORIGIN';
    return this.#deps.admission.admit(addressKey) ? null : 'TOO_MANY_CONNECTIONS';
  }

  /** Null when it threw, which would end the process otherwise. */
  #accept(route: SocketRoute, request: HttpRequest): ConnectionData['begin'] {
    try {
      return route.accept(new UpgradeHandshake(request));
    } catch (err) {
      this.#deps.log.error({ err, path: route.path }, 'an upgrade failed');
      return null;
    }
  }

  #open(ws: WebSocket<ConnectionData>, data: ConnectionData): void {
    data.socket = new UwsSocket(ws);
    const session = data.begin?.(data.socket);
    if (session === undefined) return;
    data.session = session;
    // What it holds of the request would stay in memory with the connection.
    data.begin = null;
    this.#sessions.add(session);
    if (data.foreignOrigin) session.close('forbiddenOrigin');
    else session.open();
  }

  #closed(data: ConnectionData): void {
    this.#deps.admission.release(data.addressKey);
    data.socket?.detach();
    if (data.session === null) return;
    this.#sessions.delete(data.session);
    data.session.ended();
  }

  /** A throw in a callback of uWebSockets would end the process; it ends the connection instead. */
  #guard(ws: WebSocket<ConnectionData>, act: (data: ConnectionData) => void): void {
    const data = ws.getUserData();
    try {
      act(data);
    } catch (err) {
      this.#deps.log.error({ err }, 'a connection failed');
      const { code, reason } = CLOSES.internalError;
      if (data.session === null) data.socket?.close(code, reason);
      else data.session.close('internalError');
    }
  }
}

function receivePong({ session }: ConnectionData): void {
  session?.receivePong();
}

/**
 * How long uWebSockets waits for the answer to its ping: it pings when the rest of `idleTimeout`
 * is this (WebSocketContextData.h, calculateIdleTimeoutCompnents).
 */
function pongSeconds(heartbeatSeconds: number): number {
  return heartbeatSeconds >= 16 ? 16 : 8;
}
