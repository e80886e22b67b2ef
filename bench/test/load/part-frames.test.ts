import { describe, expect, it } from 'vitest';
import { OPCODE } from '../../src/load/frame-reader.ts';
import { BINARY_HEADER_BYTES, PART_BYTES, PartFrames } from '../../src/load/part-frames.ts';

const FILE = '6f1c3a2e-5b7d-4c89-9a01-23456789abcd';
const OTHER = '11111111-2222-4333-8444-555555555555';
/** One whole part and one of three bytes: frames with both kinds of header. */
const CONTENT = Buffer.concat([Buffer.alloc(PART_BYTES, 7), Buffer.from('end')]);

/** The payload of a client's frame whose mask is zero. */
function payloadOf(frame: Buffer): Buffer {
  const short = (frame[1] as number) & 0x7f;
  return frame.subarray(short === 127 ? 14 : short === 126 ? 8 : 6);
}

describe('PartFrames', () => {
  it('puts version, file, index and bytes into a binary frame', () => {
    const parts = PartFrames.binary(CONTENT);
    expect(parts.count).toBe(2);
    const frame = parts.frame(1, FILE);
    expect((frame[0] as number) & 0x0f).toBe(OPCODE.binary);
    const payload = payloadOf(frame);
    expect(payload.toString('hex', 0, BINARY_HEADER_BYTES)).toBe(`01${FILE.replaceAll('-', '')}00000001`);
    expect(payload.toString('latin1', BINARY_HEADER_BYTES)).toBe('end');
    expect(payloadOf(parts.frame(0, FILE)).length).toBe(BINARY_HEADER_BYTES + PART_BYTES);
  });

  it('puts the same into JSON, whatever the length of the frame', () => {
    const parts = PartFrames.base64(CONTENT);
    const read = (index: number) => JSON.parse(payloadOf(parts.frame(index, FILE)).toString());
    const fields = { upload_type: 'chunk', file_id: FILE, total_chunks: 2 };
    expect(read(1)).toEqual({
      type: 'file_upload',
      data: { ...fields, chunk_index: 1, chunk_data: Buffer.from('end').toString('base64') },
    });
    const { chunk_data, ...first } = read(0).data;
    expect(first).toEqual({ ...fields, chunk_index: 0 });
    expect(Buffer.from(chunk_data, 'base64').equals(CONTENT.subarray(0, PART_BYTES))).toBe(true);
  });

  it('names the next file in the same frame', () => {
    for (const parts of [PartFrames.binary(CONTENT), PartFrames.base64(CONTENT)]) {
      const first = Buffer.from(parts.frame(0, FILE));
      const next = parts.frame(0, OTHER);
      expect(next.equals(first)).toBe(false);
      expect(parts.frame(0, FILE).equals(first)).toBe(true);
    }
  });

  it('has no part behind the last', () => {
    expect(() => PartFrames.binary(CONTENT).frame(2, FILE)).toThrow(RangeError);
  });
});
