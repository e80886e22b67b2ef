/** Counts a server's WebSocket frames by their length, without looking into them. */

/** Of a server's frame: two bytes, and at most eight for the length. */
const MAX_HEAD_BYTES = 10;

export class FrameCounter {
  readonly #onFrame: (opcode: number, length: number) => void;
  readonly #head = Buffer.alloc(MAX_HEAD_BYTES);
  #headBytes = 0;
  /** Bytes of the current payload that have not come yet. */
  #left = 0;

  /** Called once a frame's last byte has come. */
  constructor(onFrame: (opcode: number, length: number) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes bytes as they come, of which none are kept but those of an unfinished head. */
  push(bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    while (at < to) {
      if (this.#left > 0) {
        const now = Math.min(this.#left, to - at);
        this.#left -= now;
        at += now;
        if (this.#left === 0) this.#done();
        continue;
      }
      this.#head[this.#headBytes++] = bytes[at++] as number;
      if (this.#headBytes < headBytesOf(this.#head, this.#headBytes)) continue;
      this.#left = this.#length();
      if (this.#left === 0) this.#done();
    }
  }

  #done(): void {
    const length = this.#length();
    this.#headBytes = 0;
    this.#onFrame((this.#head[0] as number) & 0x0f, length);
  }

  #length(): number {
    const short = (this.#head[1] as number) & 0x7f;
    if (short === 126) return this.#head.readUInt16BE(2);
    return short === 127 ? Number(this.#head.readBigUInt64BE(2)) : short;
  }
}

/** How long a head is of which `known` bytes are known. */
function headBytesOf(head: Buffer, known: number): number {
  if (known < 2) return 2;
  const short = (head[1] as number) & 0x7f;
  return short === 127 ? 10 : short === 126 ? 4 : 2;
}
