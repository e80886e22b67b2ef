/**
 * Cuts what a broker sends into messages; a body goes straight to where its reader wants it.
 *
 * Source: NATS client protocol (INFO, MSG, HMSG, PING, PONG, -ERR).
 */

/** INFO of a large cluster has some 10 KB. */
const MAX_LINE_BYTES = 64 * 1024;
const MAX_HEAD_BYTES = 64 * 1024;
/** More than any broker's max_payload (64 MiB). */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

const LF = 0x0a;
const CR_LF_BYTES = 2;

export interface SplitterEvents {
  /** A line that is no message's, without its CR LF. */
  line(text: string): void;
  /** A message begins: where its body goes; null: nowhere. `head`: its headers, empty where it has none. */
  begin(subject: string, head: string, bodyBytes: number): Uint8Array | null;
  /** The body of the message that began last is complete. */
  end(): void;
}

export class MessageSplitter {
  readonly #events: SplitterEvents;
  /** The beginning of a line or of headers, whose end has not come yet. */
  #kept: Buffer = Buffer.alloc(0);
  #subject = '';
  /** Bytes of the headers that begin here; -1: a line does. */
  #headBytes = -1;
  #bodyBytes = 0;
  #body: Uint8Array | null = null;
  #filled = 0;
  /** Of the message under way: the rest of its body and its CR LF. */
  #rest = 0;

  constructor(events: SplitterEvents) {
    this.#events = events;
  }

  /** Keeps copies only; throws for what no broker sends. */
  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#rest > 0) at += this.#takeBody(bytes, at);
      else if (this.#headBytes >= 0) at += this.#takeHead(bytes, at);
      else at += this.#takeLine(bytes, at);
    }
  }

  #takeLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LF, at);
    const taken = bytes.subarray(at, end === -1 ? bytes.length : end + 1);
    if (this.#kept.length + taken.length > MAX_LINE_BYTES) throw new Error('a line of the broker has no end');
    const line = this.#withKept(taken, end === -1);
    if (line === null) return taken.length;
    const text = line.toString('latin1').trimEnd();
    const [verb = '', subject = '', ...rest] = text.split(' ');
    if (verb !== 'MSG' && verb !== 'HMSG') this.#events.line(text);
    else {
      this.#subject = subject;
      const all = sizeOf(rest.at(-1));
      this.#headBytes = verb === 'HMSG' ? sizeOf(rest.at(-2)) : 0;
      this.#bodyBytes = all - this.#headBytes;
      if (this.#bodyBytes < 0 || this.#headBytes > MAX_HEAD_BYTES) throw new Error(`no message: ${text}`);
      if (this.#headBytes === 0) this.#begin('');
    }
    return taken.length;
  }

  #takeHead(bytes: Buffer, at: number): number {
    const missing = this.#headBytes - this.#kept.length;
    const taken = bytes.subarray(at, at + missing);
    const head = this.#withKept(taken, taken.length < missing);
    if (head !== null) this.#begin(head.toString('latin1'));
    return taken.length;
  }

  #begin(head: string): void {
    this.#headBytes = -1;
    this.#body = this.#events.begin(this.#subject, head, this.#bodyBytes);
    this.#filled = 0;
    this.#rest = this.#bodyBytes + CR_LF_BYTES;
  }

  #takeBody(bytes: Buffer, at: number): number {
    const length = Math.min(this.#rest, bytes.length - at);
    const ofBody = Math.min(length, this.#bodyBytes - this.#filled);
    if (ofBody > 0) {
      this.#body?.set(bytes.subarray(at, at + ofBody), this.#filled);
      this.#filled += ofBody;
    }
    this.#rest -= length;
    if (this.#rest === 0) this.#events.end();
    return length;
  }

  /** What was kept and this; null where it is to be kept with it. */
  #withKept(bytes: Buffer, isUnfinished: boolean): Buffer | null {
    // The buffer that was read into is used again: what stays is a copy.
    const all = this.#kept.length > 0 || isUnfinished ? Buffer.concat([this.#kept, bytes]) : bytes;
    this.#kept = isUnfinished ? all : Buffer.alloc(0);
    return isUnfinished ? null : all;
  }
}

function sizeOf(text: string | undefined): number {
  const size = /^\d{1,8}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (!(size <= MAX_BODY_BYTES)) throw new Error(`a message of ${text} bytes`);
  return size;
}
