/** A reader of server-sent events that counts a mark in what it gets, and reads nothing else. */
import { connect, type Socket } from 'node:net';

export interface SseCounterOptions {
  port: number;
  path: string;
  headers: Record<string, string>;
  /** The one byte that each event of interest has once; asked for at each read. */
  mark: () => number;
  onMarks: (count: number) => void;
  onLost: (why: string) => void;
}

/** Every socket reads into this one: nothing of it is kept after the callback. */
const SHARED = Buffer.alloc(256 * 1024);
const MAX_HEAD_CHARS = 16 * 1024;

export class SseCounter {
  readonly #socket: Socket;
  readonly #options: SseCounterOptions;
  readonly #ready: () => void;
  /** The head of the response, as latin1; null once it is over. */
  #head: string | null = '';
  #over = false;

  /** `ready` is called once, when the response has begun. */
  constructor(options: SseCounterOptions, ready: () => void) {
    this.#options = options;
    this.#ready = ready;
    const { port, path, headers } = options;
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: { buffer: SHARED, callback: (bytes) => this.#read(bytes) },
    });
    this.#socket.on('error', (error) => this.#lost(error.message));
    this.#socket.on('close', () => this.#lost('the server closed the connection'));
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lines.join('')}\r\n`);
  }

  drop(): void {
    this.#over = true;
    this.#socket.resetAndDestroy();
  }

  /** True: go on reading. */
  #read(bytes: number): boolean {
    if (this.#over) return true;
    if (this.#head === null) this.#count(0, bytes);
    else this.#begin(bytes);
    return true;
  }

  #begin(bytes: number): void {
    this.#head += SHARED.toString('latin1', 0, bytes);
    const head = this.#head as string;
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) {
      if (head.length > MAX_HEAD_CHARS) this.#lost('no end of the head');
      return;
    }
    if (!head.startsWith('HTTP/1.1 200')) return this.#lost(head.slice(0, head.indexOf('\r')));
    this.#head = null;
    this.#ready();
    this.#count(bytes - (head.length - end - 4), bytes);
  }

  #count(from: number, to: number): void {
    const { onMarks } = this.#options;
    const mark = this.#options.mark();
    let found = 0;
    for (let at = SHARED.indexOf(mark, from); at !== -1 && at < to; at = SHARED.indexOf(mark, at + 1))
      found += 1;
    if (found > 0) onMarks(found);
  }

  #lost(why: string): void {
    if (this.#over) return;
    this.drop();
    this.#options.onLost(why);
  }
}
