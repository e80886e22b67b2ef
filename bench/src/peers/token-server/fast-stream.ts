/** A stream that is sent as fast as it is read. */
import type { ServerResponse } from 'node:http';
import type { Chunks } from './chunks.ts';

/**
 * Tokens in one write. A reader that is the bottleneck finds many in its socket anyway; this
 * keeps the server far from being the bottleneck itself.
 */
const TOKENS_PER_WRITE = 16;
/** One token of an answer. */
export const TOKEN = 'token01 ';

export class FastStream {
  readonly #chunks: Chunks;
  readonly #response: ServerResponse;
  readonly #block: string;
  #left: number;
  readonly #tokens: number;

  constructor(chunks: Chunks, response: ServerResponse, tokens: number) {
    this.#chunks = chunks;
    this.#response = response;
    this.#tokens = tokens;
    this.#left = tokens;
    this.#block = chunks.text(TOKEN).repeat(TOKENS_PER_WRITE);
    response.on('drain', () => this.pump());
  }

  /** Writes until the reader is full, and goes on when it has drained. */
  pump(): void {
    while (this.#left > 0) {
      const now = Math.min(TOKENS_PER_WRITE, this.#left);
      this.#left -= now;
      const block = now === TOKENS_PER_WRITE ? this.#block : this.#chunks.text(TOKEN).repeat(now);
      if (this.#left === 0) return void this.#response.end(block + this.#chunks.tail(this.#tokens));
      if (!this.#response.write(block)) return;
    }
  }
}
