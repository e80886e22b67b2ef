/** A WebSocket client on a bare TCP socket: the `ws` client can't saturate uWebSockets. */
import { connect, type Socket } from 'node:net';
import { clientFrame, FrameReader, OPCODE } from './frame-reader.ts';

export interface Target {
  port: number;
  /** Path and query of the upgrade. */
  path: string;
  /** Header lines beyond those of every WebSocket. */
  headers?: readonly string[];
  /** Address the connection comes from, one of 127.0.0.0/8; default 127.0.0.1. */
  from?: string;
}

export interface RawSocketOptions extends Target {
  /** Called for each text frame; the payload is good until it returns. */
  onText: (payload: Buffer) => void;
  /** Called once, when the socket is gone without `drop` having been called. */
  onLost: (why: string) => void;
  /** Called when the upgrade was accepted. */
  onOpen?: () => void;
}

/** A refusal is short; more than this before the end of the headers is no HTTP. */
const MAX_HEAD_BYTES = 16 * 1024;
const END_OF_HEAD = Buffer.from('\r\n\r\n');
/** All sockets read into this one: a buffer and a stream's events for each read cost as much as the rest. */
const READ_BUFFER = Buffer.allocUnsafe(64 * 1024);

export class RawSocket {
  readonly #socket: Socket;
  readonly #options: RawSocketOptions;
  readonly #frames: FrameReader;
  /** What came before the end of the response's headers; null after it. */
  #head: Buffer | null = Buffer.alloc(0);
  #over = false;

  constructor(options: RawSocketOptions) {
    this.#options = options;
    this.#frames = new FrameReader((opcode, payload) => this.#frame(opcode, payload));
    this.#socket = connect({
      host: '127.0.0.1',
      port: options.port,
      noDelay: true,
      localAddress: options.from,
      onread: {
        buffer: READ_BUFFER,
        callback: (bytes) => {
          this.#data(READ_BUFFER.subarray(0, bytes));
          return true;
        },
      },
    });
    this.#socket.write(upgradeRequest(options));
    this.#socket.on('error', (error) => this.#lost(error.message));
    this.#socket.on('close', () => this.#lost('the server closed the connection'));
  }

  send(text: string): void {
    this.sendFrame(clientFrame(OPCODE.text, Buffer.from(text)));
  }

  /** One that was made before; it must not change until the server has answered it. */
  sendFrame(frame: Buffer): void {
    this.#socket.write(frame);
  }

  /** Ends it by a reset: no closing handshake, and no port kept in TIME_WAIT. */
  drop(): void {
    this.#over = true;
    this.#socket.resetAndDestroy();
  }

  #data(chunk: Buffer): void {
    if (this.#over) return;
    if (this.#head === null) return this.#read(chunk);
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf(END_OF_HEAD);
    if (end === -1 && this.#head.length < MAX_HEAD_BYTES) return;
    const status = this.#head.subarray(9, 12).toString('latin1');
    if (status !== '101') return this.#fail(`the upgrade was answered with ${status}`);
    const rest = this.#head.subarray(end + END_OF_HEAD.length);
    this.#head = null;
    this.#options.onOpen?.();
    if (rest.length > 0) this.#read(rest);
  }

  #read(chunk: Buffer): void {
    try {
      this.#frames.push(chunk);
    } catch (error) {
      this.#fail((error as Error).message);
    }
  }

  #frame(opcode: number, payload: Buffer): void {
    if (this.#over) return;
    if (opcode === OPCODE.text) this.#options.onText(payload);
    else if (opcode === OPCODE.ping) this.#socket.write(clientFrame(OPCODE.pong, payload));
    else if (opcode === OPCODE.close) this.#fail(`closed with ${closeCode(payload)}`);
  }

  #fail(why: string): void {
    this.#lost(why);
    this.#socket.destroy();
  }

  #lost(why: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.onLost(why);
  }
}

function closeCode(payload: Buffer): string {
  return payload.length < 2 ? 'no code' : `${payload.readUInt16BE(0)} ${payload.subarray(2).toString()}`;
}

/** One fixed key: nobody checks the answer, and a random one would cost the load its time. */
export function upgradeRequest({ port, path, headers = [] }: Target): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    ...headers,
    '\r\n',
  ].join('\r\n');
}
