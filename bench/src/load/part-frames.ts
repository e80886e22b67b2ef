/** A file as frames of rooms-v1 that were made before; an upload only writes its id into them. */
import { clientFrame, OPCODE } from './frame-reader.ts';

/** MAX_CHUNK_SIZE, which is also the seed's. */
export const PART_BYTES = 1024 * 1024;
const ID_BYTES = 16;
/** Version, id of the file, index of the part. Source: docs/reference/rooms-v1.md, binary frames. */
export const BINARY_HEADER_BYTES = 1 + ID_BYTES + 4;
const VERSION = 1;
const ANY_ID = '00000000-0000-4000-8000-000000000000';

export class PartFrames {
  readonly #frames: Buffer[];
  readonly #name: (frame: Buffer, file: string) => void;

  static binary(content: Buffer): PartFrames {
    const frames = partsOf(content).map((data, index) => {
      const header = Buffer.alloc(BINARY_HEADER_BYTES);
      header[0] = VERSION;
      header.writeUInt32BE(index, 1 + ID_BYTES);
      return clientFrame(OPCODE.binary, Buffer.concat([header, data]));
    });
    return new PartFrames(frames, (frame, file) => {
      Buffer.from(file.replaceAll('-', ''), 'hex').copy(frame, startOf(frame) + 1);
    });
  }

  static base64(content: Buffer): PartFrames {
    const parts = partsOf(content);
    const frames = parts.map((data, chunk_index) => {
      const chunk_data = data.toString('base64');
      const fields = { file_id: ANY_ID, chunk_index, total_chunks: parts.length, chunk_data };
      const frame = { type: 'file_upload', data: { upload_type: 'chunk', ...fields } };
      return clientFrame(OPCODE.text, Buffer.from(JSON.stringify(frame)));
    });
    const [first] = frames;
    const at = first?.indexOf(ANY_ID) ?? 0;
    // The last frame may be shorter, and its header with it.
    return new PartFrames(frames, (frame, file) => {
      frame.write(file, at - startOf(first as Buffer) + startOf(frame), 'latin1');
    });
  }

  private constructor(frames: Buffer[], name: (frame: Buffer, file: string) => void) {
    this.#frames = frames;
    this.#name = name;
  }

  get count(): number {
    return this.#frames.length;
  }

  /** The frame of a part of this file; the next call for it changes the same bytes. */
  frame(index: number, file: string): Buffer {
    const frame = this.#frames[index];
    if (frame === undefined) throw new RangeError(`there is no part ${index}`);
    this.#name(frame, file);
    return frame;
  }
}

function partsOf(content: Buffer): Buffer[] {
  return Array.from({ length: Math.ceil(content.length / PART_BYTES) }, (_, index) =>
    content.subarray(index * PART_BYTES, (index + 1) * PART_BYTES),
  );
}

/** Where the payload of a client's frame starts: behind its length and its mask. */
function startOf(frame: Buffer): number {
  const short = (frame[1] as number) & 0x7f;
  return short === 127 ? 14 : short === 126 ? 8 : 6;
}
