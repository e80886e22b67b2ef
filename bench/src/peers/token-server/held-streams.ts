/** Streams that stop in mid-answer and stay there, until all are let go. */
import type { ServerResponse } from 'node:http';
import type { Chunks } from './chunks.ts';
import { TOKEN } from './fast-stream.ts';

export class HeldStreams {
  readonly #chunks: Chunks;
  readonly #held = new Map<ServerResponse, number>();

  constructor(chunks: Chunks) {
    this.#chunks = chunks;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Sends all tokens at once, but not the end. */
  add(response: ServerResponse, tokens: number): void {
    this.#held.set(response, tokens);
    response.on('close', () => this.#held.delete(response));
    response.write(this.#chunks.text(TOKEN).repeat(tokens));
  }

  release(): void {
    for (const [response, tokens] of this.#held) response.end(this.#chunks.tail(tokens));
  }
}
