/** A WebSocket client that counts what it gets: 10,000 of them must not cost more than the server. */
import { connect, type Socket } from 'node:net';
import type { Entrance } from './entrance.ts';
import { FrameCounter } from './frame-counter.ts';
import { clientFrame, OPCODE } from './frame-reader.ts';
import { type Target, upgradeRequest } from './raw-socket.ts';

export interface CountingSocketOptions extends Target, Entrance {
  /** Called for each text or binary frame. */
  onData: (length: number) => void;
  /** The connection ended without `drop`. */
  onLost: (why: string) => void;
}

/** Every socket reads into this one: nothing of it is kept after the callback. */
const SHARED = Buffer.alloc(256 * 1024);
const MAX_OPENING_BYTES = 256 * 1024;
/** The last of it says why. */
const SAID_CHARS = 300;
const END_OF_HEAD = '\r\n\r\n';
const PONG = clientFrame(OPCODE.pong, Buffer.alloc(0));

export class CountingSocket {
  readonly #socket: Socket;
  readonly #options: CountingSocketOptions;
  readonly #frames: FrameCounter;
  readonly #ready: () => void;
  /** What came before the mark, as latin1; null once we are in. */
  #opening: string | null = '';
  #upgraded = false;
  /** Of the entrance's frames. */
  #sent = 0;
  #over = false;

  /** `ready` is called once, when the server has let us in. */
  constructor(options: CountingSocketOptions, ready: () => void) {
    this.#options = options;
    this.#ready = ready;
    this.#frames = new FrameCounter((opcode, length) => {
      if (opcode === OPCODE.text || opcode === OPCODE.binary) options.onData(length);
      else if (opcode === OPCODE.ping) this.#socket.write(PONG);
      else if (opcode === OPCODE.close) this.#lost('closed');
    });
    this.#socket = connect({
      host: '127.0.0.1',
      port: options.port,
      localAddress: options.from,
      noDelay: true,
      onread: { buffer: SHARED, callback: (bytes) => this.#read(bytes) },
    });
    this.#socket.on('error', (error) => this.#lost(error.message));
    this.#socket.on('close', () => this.#lost('the server closed the connection'));
    this.#socket.write(upgradeRequest(options));
  }

  /** What the server said before it let us in, as JSON for a message; empty once it has. */
  get said(): string {
    return this.#opening === null ? '' : JSON.stringify(this.#opening.slice(-SAID_CHARS));
  }

  /** Reads nothing more, ever. */
  stall(): void {
    this.#socket.pause();
  }

  drop(): void {
    this.#over = true;
    this.#socket.resetAndDestroy();
  }

  /** True: go on reading. */
  #read(bytes: number): boolean {
    if (this.#over) return true;
    if (this.#opening === null) this.#frames.push(SHARED, 0, bytes);
    else this.#open(bytes);
    return true;
  }

  #open(bytes: number): void {
    this.#opening += SHARED.toString('latin1', 0, bytes);
    let from = 0;
    if (!this.#upgraded) {
      const opening = this.#opening as string;
      const end = opening.indexOf(END_OF_HEAD);
      if (end === -1) return;
      if (!opening.startsWith('HTTP/1.1 101')) return this.#lost(opening.slice(0, opening.indexOf('\r')));
      this.#upgraded = true;
      this.#opening = opening.slice(end + END_OF_HEAD.length);
      // The head may have begun in an earlier read; what follows it is all of this one.
      from = bytes - this.#opening.length;
    }
    this.#frames.push(SHARED, from, bytes);
    const opening = this.#opening as string;
    const { frames = [], binary = false, readyMark } = this.#options;
    for (let next = frames[this.#sent]; next !== undefined; next = frames[this.#sent]) {
      if (next.after !== null && !opening.includes(next.after)) break;
      const opcode = binary ? OPCODE.binary : OPCODE.text;
      this.#socket.write(clientFrame(opcode, Buffer.from(next.text)));
      this.#sent += 1;
    }
    if (this.#sent < frames.length) return this.#limit(opening);
    if (readyMark === null || opening.includes(readyMark)) {
      this.#opening = null;
      this.#ready();
    } else this.#limit(opening);
  }

  #limit(opening: string): void {
    if (opening.length > MAX_OPENING_BYTES) this.#lost('much came, but not what was waited for');
  }

  #lost(why: string): void {
    if (this.#over) return;
    const { said } = this;
    this.drop();
    this.#options.onLost(said === '' ? why : `${why} after ${said}`);
  }
}
