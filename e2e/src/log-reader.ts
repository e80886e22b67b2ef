/**
 * A reader of logs over either wire that keeps what it got, over all of its connections.
 *
 * It knows the sequence of its last line, and opens the next connection behind it.
 */
import { connect, type Frame, type Probe, type Stack } from '@natter/testkit';
import { type LogEventStream, openLogEvents } from './log-event-stream.ts';

export const LOG_WIRES = ['WebSocket', 'SSE'] as const;
export type LogWireName = (typeof LOG_WIRES)[number];

export interface ReadLine {
  seq: number;
  log: string;
}

export interface Gap {
  /** Sequence of the line before it; null: none. */
  after: number | null;
  count: number | null;
}

export interface LogReaderOptions {
  key: string;
  /** Of the query, besides what makes the wire tell sequences. */
  query?: Record<string, string>;
}

const WAIT_MS = 30_000;
/** Between two tries to come back, and two looks whether it is so. */
const RETRY_MS = 20;

export class LogReader {
  readonly wire: LogWireName;
  readonly lines: ReadLine[] = [];
  readonly gaps: Gap[] = [];
  /** Every other frame. */
  readonly others: Frame[] = [];
  /** How each connection that has ended did so: a close code, or null over SSE. */
  readonly ends: (number | null)[] = [];
  readonly #stack: Stack;
  readonly #options: LogReaderOptions;
  #probe: Probe | null = null;
  #stream: LogEventStream | null = null;
  #isOpen = false;
  #comesBackTo: readonly number[] = [];

  constructor(stack: Stack, wire: LogWireName, options: LogReaderOptions) {
    this.#stack = stack;
    this.wire = wire;
    this.#options = options;
  }

  /** Sequence of the last line. */
  get cursor(): number | null {
    return this.lines.at(-1)?.seq ?? null;
  }

  get texts(): string[] {
    return this.lines.map(({ log }) => log);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The socket it has now; a stream has none. */
  get probe(): Probe {
    if (this.#probe === null) throw new Error('it has no socket');
    return this.#probe;
  }

  /** Connects to a gateway, behind `cursor`: by default the last line it got. */
  async open(gateway = 0, cursor = this.cursor): Promise<this> {
    if (this.wire === 'SSE') await this.#openStream(gateway, cursor);
    else await this.#openSocket(gateway, cursor);
    this.#isOpen = true;
    return this;
  }

  /** From now on it comes back by itself, to one of these gateways after the other. */
  comeBackTo(...gateways: number[]): this {
    this.#comesBackTo = gateways;
    return this;
  }

  /** Takes nothing from its connection. */
  pause(): void {
    if (this.wire === 'SSE') this.#stream?.response.pause();
    else this.probe.socket.pause();
  }

  resume(): void {
    if (this.wire === 'SSE') this.#stream?.response.resume();
    else this.probe.socket.resume();
  }

  /** Breaks the connection as a lost network does. */
  async cut(): Promise<void> {
    const ends = this.ends.length;
    const isOpen = this.#isOpen;
    if (this.wire === 'SSE') this.#stream?.cut();
    else this.#probe?.socket.terminate();
    if (isOpen) await this.until(() => this.ends.length > ends);
  }

  /** Ends for good. */
  async close(): Promise<void> {
    this.#comesBackTo = [];
    await this.cut();
  }

  /** Waits until it is so; fails with what it got. */
  async until(isSo: () => boolean, timeoutMs = WAIT_MS): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!isSo()) {
      if (Date.now() > deadline) throw new Error(`not so after ${timeoutMs} ms. ${this.#story()}`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Waits for a line with this text. */
  untilLine(text: string): Promise<void> {
    return this.until(() => this.lines.some(({ log }) => log === text));
  }

  async #openSocket(gateway: number, cursor: number | null): Promise<void> {
    const query = this.#query({ seq: '1', ...(cursor === null ? {} : { cursor: String(cursor) }) });
    const probe = await connect(`${this.#stack.url(gateway)}/ws/logs?${query}`, { headers: this.#headers });
    this.#probe = probe;
    let read = 0;
    const readOn = () => {
      for (; read < probe.frames.length; read += 1) this.#take(probe.frames[read], probe.frames[read]?.seq);
    };
    probe.socket.on('message', readOn);
    // Frames may have come in the packet of the handshake.
    readOn();
    void probe.closed.then(({ code }) => this.#ended(code));
  }

  async #openStream(gateway: number, cursor: number | null): Promise<void> {
    const headers = { ...this.#headers, ...(cursor === null ? {} : { 'last-event-id': String(cursor) }) };
    const url = `${this.#stack.httpUrl(gateway)}/api/get-logs-stream?${this.#query({})}`;
    const stream = await openLogEvents(url, headers);
    this.#stream = stream;
    for (const { id, data } of stream.events) this.#take(data, Number(id));
    stream.onEvent = ({ id, data }) => this.#take(data, Number(id));
    void stream.closed.then(() => this.#ended(null));
  }

  get #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#options.key}` };
  }

  #query(more: Record<string, string>): string {
    return new URLSearchParams({ ...this.#options.query, ...more }).toString();
  }

  #take(frame: Frame, seq: number): void {
    if (typeof frame?.log === 'string') this.lines.push({ ...frame, seq });
    else if ('gap' in (frame ?? {})) this.gaps.push({ after: this.cursor, count: frame.gap });
    else this.others.push(frame);
  }

  #ended(code: number | null): void {
    this.#isOpen = false;
    this.ends.push(code);
    if (this.#comesBackTo.length > 0) void this.#comeBack();
  }

  async #comeBack(): Promise<void> {
    for (let tries = 0; this.#comesBackTo.length > 0; tries += 1) {
      const gateway = this.#comesBackTo[tries % this.#comesBackTo.length];
      try {
        await this.open(gateway);
        // It was closed meanwhile.
        if (this.#comesBackTo.length === 0) await this.cut();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #story(): string {
    const told = {
      lines: this.lines.length,
      gaps: this.gaps,
      others: this.others.slice(-5),
      ends: this.ends,
    };
    const last = this.lines.slice(-3).map((line) => JSON.stringify(line).slice(0, 200));
    return `${this.wire}: ${JSON.stringify(told)}, the last lines: ${last.join(' ')}`;
  }
}
