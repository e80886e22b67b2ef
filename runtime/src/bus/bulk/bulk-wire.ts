/**
 * One connection to the broker for requests with large bodies.
 *
 * Speaks as much of the client protocol as that needs. It reads into one buffer that is used again and
 * from there to where the body belongs, and writes bodies from where they are.
 */

import { connect, type Socket } from 'node:net';
import { createInbox, nkeyAuthenticator } from '@nats-io/transport-node';
import { BusError } from '../errors.ts';
import { MessageSplitter } from './message-splitter.ts';

/** Fits into the second-level cache, so that the copy out of it costs little. */
const READ_BYTES = 256 * 1024;
const OPEN_MS = 2_000;
/** Without a request for so long it is closed; the next one opens another. */
const IDLE_MS = 60_000;

export interface BulkAddress {
  host: string;
  port: number;
  name: string;
  inboxPrefix: string;
  /** Nkey seed, or null for no sign-in. */
  seed: Uint8Array | null;
}

export interface BulkAnswer {
  /** Headers as they came, or empty. */
  head: string;
  body: Uint8Array;
}

interface Pending {
  timer: NodeJS.Timeout;
  into: Uint8Array | null;
  resolve(answer: BulkAnswer): void;
  reject(error: BusError): void;
}

interface Info {
  nonce?: string;
  tls_required?: boolean;
}

export class BulkWire {
  readonly #socket: Socket;
  readonly #address: BulkAddress;
  readonly #inbox: string;
  readonly #splitter: MessageSplitter;
  readonly #opened = Promise.withResolvers<void>();
  readonly #idle: NodeJS.Timeout;
  /** Bounded by what callers have under way. */
  readonly #pending = new Map<string, Pending>();
  #count = 0;
  /** Whose answer is being read, and what there is of it. */
  #answering: { pending: Pending; answer: BulkAnswer } | null = null;
  #lost = false;

  /** Throws BusError UNAVAILABLE where it can't be opened. */
  static async open(address: BulkAddress): Promise<BulkWire> {
    const wire = new BulkWire(address);
    await wire.#opened.promise;
    return wire;
  }

  private constructor(address: BulkAddress) {
    this.#address = address;
    this.#inbox = `${createInbox(address.inboxPrefix)}.`;
    this.#splitter = new MessageSplitter({
      line: (text) => this.#hear(text),
      begin: (subject, head, bytes) => this.#begin(subject, head, bytes),
      end: () => this.#end(),
    });
    const { host, port } = address;
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const callback = (length: number) => this.#read(buffer.subarray(0, length));
    this.#socket = connect({ host, port, noDelay: true, onread: { buffer, callback } });
    this.#socket.on('error', (error) => this.#lose(error.message));
    this.#socket.on('close', () => this.#lose('it was closed'));
    const opening = setTimeout(() => this.#lose('it could not be opened in time'), OPEN_MS);
    const done = () => clearTimeout(opening);
    this.#opened.promise.then(done, done);
    this.#idle = setTimeout(() => this.#loseIfIdle(), IDLE_MS).unref();
  }

  get lost(): boolean {
    return this.#lost;
  }

  /**
   * Rejects with BusError UNAVAILABLE without an answer in time; then nothing comes later, either.
   *
   * `body` must stay as it is until it settled; after a failure for ever. The answer's body is in `into`
   * where it fits.
   */
  request(
    subject: string,
    { head = '', body, into = null }: { head?: string; body: Uint8Array; into?: Uint8Array | null },
    timeoutMs: number,
  ): Promise<BulkAnswer> {
    if (this.#lost) return Promise.reject(unavailable('it was lost'));
    this.#idle.refresh();
    this.#count += 1;
    const id = this.#count.toString(36);
    return new Promise((resolve, reject) => {
      // What is late would come into a buffer that is used again: the connection ends with it.
      const timer = setTimeout(() => this.#lose(`no answer to ${subject}`), timeoutMs);
      this.#pending.set(id, { timer, into, resolve, reject });
      const all = head.length + body.length;
      const sizes = head === '' ? `${all}` : `${head.length} ${all}`;
      const verb = head === '' ? 'PUB' : 'HPUB';
      this.#socket.cork();
      this.#socket.write(`${verb} ${subject} ${this.#inbox}${id} ${sizes}\r\n${head}`, 'latin1');
      this.#socket.write(body);
      this.#socket.write('\r\n', 'latin1');
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#lose('it was closed');
  }

  #read(bytes: Buffer): boolean {
    try {
      this.#splitter.push(bytes);
    } catch (error) {
      this.#lose(error instanceof Error ? error.message : String(error));
    }
    return !this.#lost;
  }

  #hear(line: string): void {
    if (line === 'PING') this.#socket.write('PONG\r\n');
    else if (line === 'PONG') this.#opened.resolve();
    else if (line.startsWith('INFO ')) this.#signIn(JSON.parse(line.slice(5)) as Info);
    // Whoever asked finds out over the other connection, and what to do about it.
    else if (line.startsWith('-ERR')) this.#lose(line);
  }

  /** The first INFO; later ones tell of other brokers. */
  #signIn({ nonce, tls_required }: Info): void {
    if (this.#count > 0) return;
    this.#count = 1;
    if (tls_required === true) return this.#lose('the broker wants TLS');
    const { name, seed } = this.#address;
    const options = {
      ...{ verbose: false, pedantic: false, headers: true, no_responders: true, echo: false, protocol: 1 },
      ...{ lang: 'natter', version: '1', name: `${name} bulk` },
      ...(seed === null ? {} : nkeyAuthenticator(seed)(nonce)),
    };
    this.#socket.write(`CONNECT ${JSON.stringify(options)}\r\nSUB ${this.#inbox}* 1\r\nPING\r\n`);
  }

  #begin(subject: string, head: string, bytes: number): Uint8Array | null {
    const id = subject.slice(this.#inbox.length);
    const pending = this.#pending.get(id);
    if (pending === undefined) return null;
    this.#pending.delete(id);
    const { into } = pending;
    const body = into !== null && into.length >= bytes ? into.subarray(0, bytes) : new Uint8Array(bytes);
    this.#answering = { pending, answer: { head, body } };
    return body;
  }

  #end(): void {
    const answered = this.#answering;
    this.#answering = null;
    if (answered === null) return;
    clearTimeout(answered.pending.timer);
    answered.pending.resolve(answered.answer);
  }

  #loseIfIdle(): void {
    if (this.#pending.size === 0 && this.#answering === null) this.#lose('nobody needed it');
    else this.#idle.refresh();
  }

  #lose(why: string): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#socket.destroy();
    clearTimeout(this.#idle);
    const error = unavailable(why);
    this.#opened.reject(error);
    const all = [...this.#pending.values(), ...(this.#answering === null ? [] : [this.#answering.pending])];
    this.#pending.clear();
    this.#answering = null;
    for (const { timer, reject } of all) {
      clearTimeout(timer);
      reject(error);
    }
  }
}

function unavailable(why: string): BusError {
  return new BusError('UNAVAILABLE', `the connection for large messages: ${why}`);
}
