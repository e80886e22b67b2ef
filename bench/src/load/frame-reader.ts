/** Cuts a server's bytes into WebSocket frames, with as little work as can be. */

export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A server that announces more than this has lost its mind, or we the place in its stream. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

export class FrameReader {
  readonly #onFrame: (opcode: number, payload: Buffer) => void;
  /** The beginning of a frame whose end has not come. */
  #rest: Buffer | null = null;

  /** `payload` is a view into what the socket read; it is good until the callback returns. */
  constructor(onFrame: (opcode: number, payload: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes bytes as they come; `chunk` may be used again afterwards. Servers don't mask, and ours never fragments. */
  push(chunk: Buffer): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 2) {
      let length = (bytes[at + 1] as number) & 0x7f;
      let start = at + 2;
      if (length === 126) {
        if (bytes.length < at + 4) break;
        length = bytes.readUInt16BE(at + 2);
        start = at + 4;
      } else if (length === 127) {
        if (bytes.length < at + 10) break;
        length = Number(bytes.readBigUInt64BE(at + 2));
        start = at + 10;
      }
      if (length > MAX_FRAME_BYTES) throw new Error(`a frame of ${length} bytes`);
      if (bytes.length < start + length) break;
      this.#onFrame((bytes[at] as number) & 0x0f, bytes.subarray(start, start + length));
      at = start + length;
    }
    this.#rest = at === bytes.length ? null : Buffer.from(bytes.subarray(at));
  }
}

/** A client's frame; the mask is zero, which servers can't tell from a random one. */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const start = length > 0xffff ? 14 : length > 125 ? 8 : 6;
  const frame = Buffer.alloc(start + length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (length > 0xffff ? 127 : length > 125 ? 126 : length);
  if (length > 0xffff) frame.writeBigUInt64BE(BigInt(length), 2);
  else if (length > 125) frame.writeUInt16BE(length, 2);
  payload.copy(frame, start);
  return frame;
}
