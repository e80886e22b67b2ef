/** One reader of logs over server-sent events. */
import type { CloseReason } from '@natter/proto';
import type { BodyWriter } from '../../rest/route.ts';
import type { Admitted, LogVisit, LogVisits } from './log-visits.ts';
import type { LogOpening, LogOutlet, LogWire } from './log-wire.ts';

/** Proxies close what is silent for a minute, some for half of it. */
const HEARTBEAT_MS = 15_000;
/** When a browser comes back, in milliseconds: not all of them at once. */
const RETRY_MS = { from: 1_000, to: 3_000 };

export interface LogEventStreamDeps {
  wire: LogWire;
  now: () => number;
  /** 0 to 1. */
  random: () => number;
  gone(stream: LogEventStream): void;
}

export class LogEventStream implements LogOutlet {
  readonly kind = 'events';
  readonly format: LogOpening['format'];
  readonly #deps: LogEventStreamDeps;
  readonly #writer: BodyWriter;
  #visit: LogVisit | null = null;
  #spokeAtMs: number;
  #ended = false;

  constructor(deps: LogEventStreamDeps, writer: BodyWriter, opening: LogOpening) {
    this.#deps = deps;
    this.#writer = writer;
    this.#spokeAtMs = deps.now();
    this.format = opening.format;
  }

  begin(visits: Pick<LogVisits, 'begin'>, admitted: Admitted, opening: LogOpening): void {
    const { signal } = this.#writer;
    if (signal.aborted) return this.end();
    // The client has gone; or the gateway stops, and would wait for the end.
    signal.addEventListener('abort', () => this.end(), { once: true });
    const { wire, random } = this.#deps;
    const retryMs = Math.round(RETRY_MS.from + random() * (RETRY_MS.to - RETRY_MS.from));
    this.send([`retry: ${retryMs}\n\n`]);
    this.#visit = visits.begin(admitted, opening, this);
    if (this.#visit !== null) return;
    // Others were faster, since it was told that there is room.
    this.send([wire.asEvent(wire.encodeError({ code: 'TOO_MANY_CONNECTIONS' }), null)]);
    this.end();
  }

  send(pieces: readonly string[]): void {
    this.sendEvents(Buffer.from(pieces.join('')));
  }

  sendEvents(events: Uint8Array): void {
    if (this.#ended) return;
    this.#spokeAtMs = this.#deps.now();
    if (!this.#writer.write(events)) void this.#writer.drained().then(() => this.#visit?.drained());
  }

  buffered(): number {
    return this.#writer.buffered();
  }

  /** Only sockets have topics. */
  join(): void {}
  leave(): void {}

  /** Nothing tells the client why: it comes back, and is answered then. */
  end(_reason?: CloseReason): void {
    if (this.#ended) return;
    this.#stop();
    this.#writer.end();
  }

  /** Call it every second. */
  tick(nowMs: number): void {
    this.#visit?.tick(nowMs);
    if (nowMs - this.#spokeAtMs >= HEARTBEAT_MS) this.send([':\n\n']);
  }

  #stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#visit?.stop();
    this.#deps.gone(this);
  }
}
