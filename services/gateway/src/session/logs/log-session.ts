/** One socket of /ws/logs: its key, its reader, and what the client acknowledges. */
import { CLOSES, type CloseReason, type ErrorCode } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import type { GatewayMetrics } from '../../metrics.ts';
import { RateLimit } from '../rate-limit.ts';
import type { Socket } from '../socket.ts';
import type { SocketSession } from '../socket-session.ts';
import type { LogSockets } from './log-sockets.ts';
import type { LogVisit, LogVisits } from './log-visits.ts';
import type { LogOpening, LogOutlet, LogRefusal, LogWire } from './log-wire.ts';

export interface LogSessionDeps {
  visits: Pick<LogVisits, 'admit' | 'begin'>;
  sockets: LogSockets;
  wire: LogWire;
  metrics: Pick<GatewayMetrics, 'closes' | 'errors'>;
  log: Logger;
  now: () => number;
  rateLimitRequests: number;
  rateLimitWindowSeconds: number;
}

/** A client that goes on although every frame is refused is closed after so many. */
const REFUSALS_LIMIT = 100;

/** How a socket ends whose request can't be served. */
const CLOSE_OF: Partial<Record<ErrorCode, CloseReason>> = {
  AUTH_REQUIRED: 'badApiKey',
  INVALID_TOKEN: 'badApiKey',
  TOKEN_EXPIRED: 'badApiKey',
  SCOPE_REQUIRED: 'badApiKey',
  INVALID_FIELD: 'badQuery',
  TOO_MANY_CONNECTIONS: 'tooManyConnections',
  UNAVAILABLE: 'unavailable',
};

export class LogSession implements SocketSession, LogOutlet {
  readonly kind = 'frames';
  readonly dueAtMs = 0;
  readonly format: LogOpening['format'];
  readonly #deps: LogSessionDeps;
  readonly #socket: Socket;
  readonly #opening: LogOpening;
  readonly #rate: RateLimit;
  #refusals = 0;
  #visit: LogVisit | null = null;
  #closed = false;

  constructor(deps: LogSessionDeps, socket: Socket, opening: LogOpening) {
    this.#deps = deps;
    this.#socket = socket;
    this.#opening = opening;
    this.format = opening.format;
    this.#rate = new RateLimit(deps.rateLimitRequests, deps.rateLimitWindowSeconds);
  }

  open(): void {
    void this.#begin();
  }

  receive(bytes: Uint8Array, isBinary: boolean): void {
    if (this.#closed || !this.#withinRate()) return;
    const frame = this.#deps.wire.decode(bytes, isBinary);
    if (!frame.ok) return this.#refuse(frame);
    if (this.#visit === null) return this.#refuse({ code: 'AUTH_REQUIRED' });
    if (!this.#visit.acknowledge(frame.ack)) this.#refuse({ code: 'INVALID_FIELD', detail: 'ack' });
  }

  receivePing(): void {
    if (!this.#closed) this.#withinRate();
  }

  receivePong(): void {
    this.receivePing();
  }

  dropped(): void {
    this.close('slowReader');
  }

  drained(): void {
    this.#visit?.drained();
  }

  tick(nowMs: number): void {
    this.#visit?.tick(nowMs);
  }

  close(reason: CloseReason): void {
    if (this.#closed) return;
    this.#deps.metrics.closes.inc({ reason });
    this.ended();
    const { code, reason: text } = CLOSES[reason];
    this.#socket.close(code, text);
  }

  /** The socket is gone. */
  ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deps.sockets.delete(this);
    this.#visit?.stop();
  }

  send(frames: readonly string[]): void {
    if (this.#closed) return;
    let sent = true;
    for (const frame of frames) sent = this.#socket.send(frame) && sent;
    // After a drop the stream has a hole.
    if (!sent) this.close('slowReader');
  }

  /** Only streams take events. */
  sendEvents(): void {}

  buffered(): number {
    return this.#socket.buffered();
  }

  join(topic: string): void {
    this.#socket.join(topic);
  }

  leave(topic: string): void {
    if (!this.#closed) this.#socket.leave(topic);
  }

  end(reason: CloseReason): void {
    this.close(reason);
  }

  async #begin(): Promise<void> {
    const { visits, sockets } = this.#deps;
    const admission = await visits.admit(this.#opening);
    if (this.#closed) return;
    if (!admission.ok) return this.#shutOut(admission);
    const visit = visits.begin(admission.admitted, this.#opening, this);
    if (visit === null) return this.#shutOut({ code: 'TOO_MANY_CONNECTIONS' });
    // The reader may have ended at once.
    if (this.#closed) return visit.stop();
    this.#visit = visit;
    sockets.add(this);
  }

  /** One error frame, and the end. */
  #shutOut(refusal: LogRefusal): void {
    this.#refuse(refusal);
    this.close(CLOSE_OF[refusal.code] ?? 'internalError');
  }

  #refuse(refusal: LogRefusal): void {
    this.#deps.metrics.errors.inc({ code: refusal.code });
    this.send([this.#deps.wire.encodeError(refusal)]);
  }

  #withinRate(): boolean {
    const retryAfter = this.#rate.take(this.#deps.now());
    if (retryAfter === 0) {
      this.#refusals = 0;
      return true;
    }
    this.#refusals += 1;
    if (this.#refusals > REFUSALS_LIMIT) this.close('tooManyErrors');
    else this.#refuse({ code: 'RATE_LIMIT', retryAfter });
    return false;
  }
}
