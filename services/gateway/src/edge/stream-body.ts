/** Writes the body of one StreamReply over uWebSockets.js, no faster than the peer takes it. */
import type { HttpResponse } from 'uWebSockets.js';
import type { BodyWriter } from '../rest/route.ts';

/**
 * A peer that takes nothing of a download for this long, though something waits, is cut off.
 *
 * Of an event stream it is uWebSockets that does so, after 10 to 12 s: it can't be told otherwise.
 */
export const STALL_SECONDS = 30;

/** Above this a writer that goes on in spite of `false` loses its connection. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** Chunked, uWebSockets takes each write whole and buffers the rest: it is given this much at once. */
const SLICE_BYTES = 64 * 1024;

export class StreamBody implements BodyWriter {
  readonly #response: HttpResponse;
  /** Null: chunked. */
  readonly #length: number | null;
  readonly #writeHead: () => void;
  readonly #finished = Promise.withResolvers<void>();
  readonly #abort = new AbortController();
  readonly #queue: Uint8Array[] = [];
  #begun = false;
  #waiting = 0;
  #written = 0;
  /** Bytes of a chunked body that uWebSockets still has, at most; it doesn't tell. */
  #handedOver = 0;
  #blocked = false;
  #stalledSinceMs: number | null = null;
  #ended = false;
  #over = false;
  #drained: PromiseWithResolvers<void> | null = null;

  /** `writeHead` is called once, in a cork: with the first piece, or by `begin`. */
  constructor(response: HttpResponse, length: number | null, writeHead: () => void) {
    this.#response = response;
    this.#writeHead = writeHead;
    this.#length = length;
    response.onWritable(() => {
      if (!this.#over) this.#writable();
      return true;
    });
  }

  /** Resolves when the body was written or the peer has gone. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** Whether the status is on its way; before, something else may be answered, after `gone`. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Sends status and headers ahead of the first piece. */
  begin(): void {
    if (!this.#over) this.#response.cork(() => this.#head());
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  write(piece: string | Uint8Array): boolean {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    if (this.#waiting > MAX_WAITING_BYTES) this.cutOff();
    if (this.#over || this.#ended || bytes.byteLength === 0) return !this.#blocked;
    this.#written += bytes.byteLength;
    if (this.#length !== null && this.#written > this.#length)
      throw new Error(`a body of ${this.#length} bytes was longer`);
    this.#queue.push(bytes);
    this.#waiting += bytes.byteLength;
    if (!this.#blocked) this.#pump();
    return !this.#blocked;
  }

  drained(): Promise<void> {
    if (!this.#blocked) return Promise.resolve();
    this.#drained ??= Promise.withResolvers();
    return this.#drained.promise;
  }

  buffered(): number {
    return this.#waiting + this.#handedOver;
  }

  end(): void {
    if (this.#over || this.#ended) return;
    this.#ended = true;
    if (this.#length !== null && this.#written < this.#length) this.cutOff();
    // Else what waits goes first, and the end with its last piece.
    else if (!this.#blocked || this.#queue.length === 0) this.#pump();
  }

  /** Ends the connection in the middle. */
  cutOff(): void {
    // Calls the abort handler, which calls `gone`.
    if (!this.#over) this.#response.close();
  }

  /** The gateway stops: events end, a download may go on for as long as the gateway waits. */
  drain(): void {
    if (this.#length === null) this.#abort.abort();
  }

  /** The peer has gone, and the response with it. */
  gone(): void {
    if (this.#over) return;
    this.#finish();
    this.#abort.abort();
  }

  /** Call it about once a second. */
  tick(nowMs: number): void {
    if (!this.#blocked || this.#length === null) return;
    this.#stalledSinceMs ??= nowMs;
    if (nowMs - this.#stalledSinceMs >= STALL_SECONDS * 1_000) return this.cutOff();
    // uWebSockets gives up 10 s after a `tryEnd` that failed: the next one begins them anew.
    this.#pump();
  }

  #writable(): void {
    this.#stalledSinceMs = null;
    this.#handedOver = 0;
    this.#pump();
  }

  /** Writes what it can. The empty cork writes what uWebSockets has, which it doesn't do by itself. */
  #pump(): void {
    this.#response.cork(() => {
      this.#blocked = false;
      this.#head();
      while (this.#queue.length > 0 && !this.#blocked && !this.#over) this.#push();
      if (this.#queue.length > 0 || this.#over) return;
      if (this.#ended && (this.#length ?? 0) === 0) {
        this.#finish();
        this.#response.end();
      }
    });
    if (!this.#blocked) this.#release();
  }

  #head(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#writeHead();
  }

  #push(): void {
    const [piece] = this.#queue;
    if (piece === undefined) return;
    const taken = this.#length === null ? this.#pushChunk(piece) : this.#pushPart(piece, this.#length);
    if (this.#over) return;
    this.#waiting -= taken;
    if (taken === piece.byteLength) this.#queue.shift();
    else this.#queue[0] = piece.subarray(taken);
  }

  #pushChunk(piece: Uint8Array): number {
    const slice = piece.subarray(0, SLICE_BYTES);
    this.#blocked = !this.#response.write(slice);
    this.#handedOver = this.#blocked ? slice.byteLength : 0;
    return slice.byteLength;
  }

  #pushPart(piece: Uint8Array, length: number): number {
    const before = this.#response.getWriteOffset();
    const [, done] = this.#response.tryEnd(piece, length);
    if (done) {
      // From here on the response must not be used.
      this.#finish();
      return piece.byteLength;
    }
    const taken = this.#response.getWriteOffset() - before;
    if (taken > 0) this.#stalledSinceMs = null;
    this.#blocked = taken < piece.byteLength;
    return taken;
  }

  #finish(): void {
    this.#over = true;
    this.#blocked = false;
    this.#queue.length = 0;
    this.#waiting = 0;
    this.#handedOver = 0;
    this.#release();
    this.#finished.resolve();
  }

  #release(): void {
    this.#drained?.resolve();
    this.#drained = null;
  }
}
