/** A WebSocket client for tests: records every frame, waits with a bound, says what it saw. */
import { once } from 'node:events';
import WebSocket, { type ClientOptions, type RawData } from 'ws';

export interface ConnectOptions {
  headers?: Record<string, string>;
  origin?: string;
  protocols?: string[];
  /** How long the handshake may take, in milliseconds. Default 5,000. */
  timeoutMs?: number;
  /** How many frames are kept; beyond it the probe fails. Default 100,000. */
  maxFrames?: number;
}

/** A JSON frame as its value, any other text as itself, a binary frame as bytes. */
// biome-ignore lint/suspicious/noExplicitAny: tests read fields of whatever the wire sent
export type Frame = any;

export interface Closed {
  code: number;
  reason: string;
}

/** The server answered the upgrade with an ordinary HTTP response. */
export class UpgradeRefused extends Error {
  readonly code = 'UPGRADE_REFUSED';
  readonly status: number;
  readonly body: string;
  constructor(status: number, body: string) {
    super(`the upgrade was answered with ${status}: ${body.slice(0, 500)}`);
    this.status = status;
    this.body = body;
  }
}

const WAIT_MS = 10_000;

/** Opens a socket; rejects with UpgradeRefused or the error of the connection. */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Probe> {
  const { headers, origin, protocols = [], timeoutMs = 5_000, maxFrames = 100_000 } = options;
  const settings: ClientOptions = { headers, origin, handshakeTimeout: timeoutMs, perMessageDeflate: false };
  const socket = new WebSocket(url, protocols, settings);
  // Before the handshake ends: a greeting may come in the same packet.
  const probe = new Probe(socket, maxFrames);
  const refused = new Promise<never>((_resolve, reject) => {
    socket.once('unexpected-response', async (_request, response) => {
      let body = '';
      for await (const chunk of response.setEncoding('utf8')) body += chunk;
      reject(new UpgradeRefused(response.statusCode ?? 0, body));
    });
  });
  await Promise.race([once(socket, 'open'), refused]);
  return probe;
}

export class Probe {
  readonly socket: WebSocket;
  /** Every frame so far, oldest first. */
  readonly frames: Frame[] = [];
  /** Resolves when the socket has closed, whoever closed it. */
  readonly closed: Promise<Closed>;
  /** The same, once it has happened. */
  closedWith: Closed | null = null;
  #read = 0;
  readonly #waiting = new Set<() => void>();

  constructor(socket: WebSocket, maxFrames: number) {
    this.socket = socket;
    // `connect` reports what happens before the socket opens; afterwards `close` tells.
    socket.on('error', () => undefined);
    socket.on('message', (data, isBinary) => {
      this.frames.push(parse(data, isBinary));
      if (this.frames.length > maxFrames) socket.terminate();
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.closedWith = { code, reason: reason.toString() };
        resolve(this.closedWith);
        this.#wake();
      });
    });
  }

  /** Sends a string or bytes as they are, anything else as JSON. */
  send(frame: unknown): void {
    this.socket.send(
      typeof frame === 'string' || frame instanceof Uint8Array ? frame : JSON.stringify(frame),
    );
  }

  /**
   * The next frame, not yet returned, that satisfies `wanted`; earlier ones are passed over.
   *
   * Fails with everything that arrived when it doesn't come within `timeoutMs`, or the socket closes.
   */
  async next(wanted: (frame: Frame) => boolean = () => true, timeoutMs = WAIT_MS): Promise<Frame> {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      this.#wake();
    }, timeoutMs);
    try {
      for (;;) {
        while (this.#read < this.frames.length) {
          const frame = this.frames[this.#read++];
          if (wanted(frame)) return frame;
        }
        if (timedOut) throw new Error(`no such frame within ${timeoutMs} ms. ${this.#story()}`);
        if (this.closedWith) throw new Error(`the socket closed first. ${this.#story()}`);
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** The next frame whose `type` is this. */
  nextOfType(type: string, timeoutMs?: number): Promise<Frame> {
    return this.next((frame) => frame?.type === type, timeoutMs);
  }

  /** How the socket closed; fails with what arrived when it stays open for `timeoutMs`. */
  async closing(timeoutMs = WAIT_MS): Promise<Closed> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`still open after ${timeoutMs} ms. ${this.#story()}`)),
        timeoutMs,
      );
    });
    try {
      return await Promise.race([this.closed, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes in order, and by force when the server doesn't answer within a second. */
  async close(code = 1000): Promise<Closed> {
    this.socket.close(code);
    const force = setTimeout(() => this.socket.terminate(), 1_000);
    const closed = await this.closed;
    clearTimeout(force);
    return closed;
  }

  #wake(): void {
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
  }

  #story(): string {
    const last = this.frames.slice(-20).map((frame) => JSON.stringify(frame)?.slice(0, 300));
    const end = this.closedWith
      ? `Closed with ${this.closedWith.code} ${this.closedWith.reason}.`
      : 'Still open.';
    return `${end} ${this.frames.length} frames arrived${last.length ? `, the last ones:\n${last.join('\n')}` : '.'}`;
  }
}

function parse(data: RawData, isBinary: boolean): Frame {
  const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
  if (isBinary) return new Uint8Array(bytes);
  const text = bytes.toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
