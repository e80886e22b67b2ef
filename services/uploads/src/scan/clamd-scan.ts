/** One file on its way through clamd: INSTREAM over a connection of its own (clamd(8)). */
import type { Socket } from 'node:net';
import type { ScanStream, Verdict } from '../ports.ts';
import { clamdVerdict, unknown } from './clamd-reply.ts';

/** clamd answers with one line. */
const MAX_REPLY_BYTES = 4_096;
const LENGTH_BYTES = 4;

export interface ClamdTimeouts {
  /** Longest wait for a part to be taken, or for the next part to be pushed. */
  idleTimeoutMs: number;
  /** Longest wait for the answer once everything was sent: most of the scan happens then. */
  replyTimeoutMs: number;
}

/** Whatever goes wrong is the verdict `unknown`; after it, parts are dropped. */
export class ClamdScan implements ScanStream {
  readonly #socket: Socket;
  readonly #replyTimeoutMs: number;
  readonly #outcome = Promise.withResolvers<Verdict>();
  readonly #release: () => void;
  #settled = false;
  #allSent = false;
  #reply = '';

  /** Takes a connected socket; `release` is called once, when it is over. */
  constructor(socket: Socket, timeouts: ClamdTimeouts, release: () => void) {
    this.#socket = socket;
    this.#release = release;
    this.#replyTimeoutMs = timeouts.replyTimeoutMs;
    socket.on('data', (bytes) => this.#hear(bytes));
    socket.on('error', (error) => this.#settle({ verdict: 'unknown', fault: 'file', reason: error.message }));
    socket.on('close', () => this.#settle(unknown(this.#reply)));
    socket.setTimeout(timeouts.idleTimeoutMs, () =>
      this.#settle({ verdict: 'unknown', fault: 'file', reason: 'the scanner is silent' }),
    );
    socket.write('zINSTREAM\0');
  }

  /** Resolves once the kernel has taken the part: a slow scanner slows down its reader. */
  async push(bytes: Uint8Array): Promise<void> {
    // A part of length 0 would be the end.
    if (this.#settled || bytes.length === 0) return;
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(bytes.length);
    await new Promise<void>((resolve) => {
      this.#socket.cork();
      this.#socket.write(length);
      // It fails only where the socket is lost, and then the verdict says so.
      this.#socket.write(bytes, () => resolve());
      this.#socket.uncork();
    });
  }

  end(): Promise<Verdict> {
    if (!this.#settled && !this.#allSent) {
      this.#allSent = true;
      this.#socket.setTimeout(this.#replyTimeoutMs);
      this.#socket.write(Buffer.alloc(LENGTH_BYTES));
    }
    return this.#outcome.promise;
  }

  abort(): void {
    this.#settle({ verdict: 'unknown', reason: 'the scan was given up' });
  }

  #hear(bytes: Buffer): void {
    this.#reply += bytes.toString('latin1');
    const end = this.#reply.indexOf('\0');
    if (end < 0 && this.#reply.length <= MAX_REPLY_BYTES) return;
    const reply = this.#reply.slice(0, end < 0 ? MAX_REPLY_BYTES : end);
    // An answer before the end is about a part of the file, such as that it is too long.
    this.#settle(this.#allSent && end >= 0 ? clamdVerdict(reply) : unknown(reply));
  }

  #settle(verdict: Verdict): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#socket.destroy();
    this.#outcome.resolve(verdict);
    this.#release();
  }
}
