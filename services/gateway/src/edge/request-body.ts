/** The body of one request from uWebSockets.js, read no faster than its reader takes it. */
import type { HttpResponse } from 'uWebSockets.js';
import { BodyTooLarge } from '../rest/route.ts';

/**
 * The client is held up above this. What the kernel has already taken comes on top, as uWebSockets
 * reads until that is empty: up to 6 MiB with Linux' own tcp_rmem, mostly one read of 512 KiB.
 */
const READ_AHEAD_BYTES = 512 * 1024;

export interface BodyLimits {
  maxBytes: number;
  /** Whether the client says how much is to come; else it may send for ever. */
  hasLength: boolean;
}

/**
 * Pieces for one reader, who may leave early; make it within the handler of the request.
 *
 * uWebSockets ends connections that send less than 160 KiB in 10 s, but not while they are held up.
 */
export class RequestBody implements AsyncIterable<Uint8Array> {
  readonly #response: HttpResponse;
  readonly #limits: BodyLimits;
  readonly #queue: Buffer[] = [];
  #waiting = 0;
  #received = 0;
  #complete = false;
  #tooLarge = false;
  /** Nobody reads on: what still comes is dropped. */
  #dropped = false;
  #paused = false;
  /** Answered, or the client has gone: any use of the response would throw. */
  #over = false;
  #wake: (() => void) | null = null;

  constructor(response: HttpResponse, limits: BodyLimits) {
    this.#response = response;
    this.#limits = limits;
    response.onData((chunk, isLast) => this.#take(chunk, isLast));
  }

  /** All of it; shorter when the client has gone. */
  async whole(): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      while (true) {
        const piece = this.#queue.shift();
        if (piece !== undefined) {
          this.#waiting -= piece.byteLength;
          yield piece;
        } else if (this.#tooLarge) throw new BodyTooLarge();
        else if (this.#complete || this.#dropped) return;
        else await this.#more();
      }
    } finally {
      this.#drop();
      if (!this.#tooLarge) this.#resume();
    }
  }

  /**
   * Call it right before the reply: what came, and what still comes, is dropped.
   *
   * False: the client can't be waited for, and is to be told that the connection ends.
   */
  leave(): boolean {
    this.#drop();
    const goesOn = this.#complete || (this.#limits.hasLength && !this.#tooLarge);
    if (goesOn) this.#resume();
    else this.#pause();
    this.#over = true;
    return goesOn;
  }

  /** The client has gone, and the response with it. */
  gone(): void {
    this.#over = true;
    this.#drop();
  }

  #drop(): void {
    this.#dropped = true;
    this.#queue.length = 0;
    this.#waiting = 0;
    this.#wake?.();
  }

  #more(): Promise<void> {
    this.#resume();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #pause(): void {
    if (this.#over) return;
    // Also when it is paused: a read under way goes on, and has begun the time limit anew.
    this.#paused = true;
    this.#response.pause();
  }

  #resume(): void {
    if (!this.#paused || this.#over) return;
    this.#paused = false;
    this.#response.resume();
  }

  #take(chunk: ArrayBuffer, isLast: boolean): void {
    if (isLast) this.#complete = true;
    if (this.#dropped) return;
    this.#received += chunk.byteLength;
    if (this.#received > this.#limits.maxBytes) this.#tooLarge = true;
    else if (chunk.byteLength > 0) {
      // The chunk's memory is uWebSockets' own and gone after this call.
      this.#queue.push(Buffer.from(Buffer.from(chunk)));
      this.#waiting += chunk.byteLength;
    }
    // Not behind the last piece: `resume` would begin a time limit that nothing ends.
    if (!isLast && (this.#tooLarge || this.#waiting > READ_AHEAD_BYTES)) this.#pause();
    this.#wake?.();
  }
}
