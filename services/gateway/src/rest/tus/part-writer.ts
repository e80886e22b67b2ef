/** Cuts the body of a PATCH into parts and stores them, one while the next is gathered. */
import type { UploadsAnswer, UploadsClient } from '../../bus/uploads-client.ts';

export interface PartWriterOptions {
  uploads: Pick<UploadsClient, 'put'>;
  sub: string;
  id: string;
  /** Where the body begins in the file. */
  offset: number;
  maxChunkBytes: number;
  /** After each part. */
  stored(answer: Extract<UploadsAnswer, { ok: true }>): void;
}

export class PartWriter {
  readonly #options: PartWriterOptions;
  readonly #part: Uint8Array;
  #filled = 0;
  /** Bytes of the part that is being stored. */
  #length = 0;
  #offset: number;
  #storing: Promise<UploadsAnswer> | null = null;
  #refusal: Extract<UploadsAnswer, { ok: false }> | null = null;

  constructor(options: PartWriterOptions) {
    this.#options = options;
    this.#offset = options.offset;
    this.#part = new Uint8Array(options.maxChunkBytes);
  }

  /** Bytes of the file that are stored. */
  get offset(): number {
    return this.#offset;
  }

  /** Why a part was not stored; nothing that comes later is. */
  get refusal(): Extract<UploadsAnswer, { ok: false }> | null {
    return this.#refusal;
  }

  /** Takes the next bytes; resolves when there is room for more. Throws what `put` throws. */
  async add(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && this.#refusal === null; ) {
      const length = Math.min(bytes.length - at, this.#part.length - this.#filled);
      this.#part.set(bytes.subarray(at, at + length), this.#filled);
      this.#filled += length;
      at += length;
      if (this.#filled === this.#part.length) await this.#store();
    }
  }

  /** Stores what is left, and resolves when all of it is. */
  async end(): Promise<void> {
    await this.#store();
    await this.#settled();
  }

  async #store(): Promise<void> {
    // Each part begins where those before it end.
    await this.#settled();
    if (this.#filled === 0 || this.#refusal !== null) return;
    const { uploads, sub, id } = this.#options;
    const position = { offset: this.#offset };
    // Copied before this returns, so the next part can be gathered in the same place.
    const storing = uploads.put({ sub, id, position }, this.#part.subarray(0, this.#filled));
    // Looked at when the next part is full; until then nobody listens.
    storing.catch(() => undefined);
    this.#storing = storing;
    this.#length = this.#filled;
    this.#filled = 0;
  }

  async #settled(): Promise<void> {
    const answer = await this.#storing;
    this.#storing = null;
    if (answer === null) return;
    if (!answer.ok) {
      this.#refusal = answer;
      return;
    }
    this.#offset += this.#length;
    this.#options.stored(answer);
  }
}
