import { describe, expect, it } from 'vitest';
import { clientFrame, FrameReader, OPCODE } from '../../src/load/frame-reader.ts';

/** A server's frame: not masked. */
function serverFrame(text: string, opcode: number = OPCODE.text): Buffer {
  const payload = Buffer.from(text);
  const head = payload.length > 125 ? Buffer.alloc(4) : Buffer.alloc(2);
  head[0] = 0x80 | opcode;
  head[1] = payload.length > 125 ? 126 : payload.length;
  if (payload.length > 125) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

function read(chunks: Buffer[]): [opcode: number, text: string][] {
  const frames: [number, string][] = [];
  const reader = new FrameReader((opcode, payload) => frames.push([opcode, payload.toString()]));
  for (const chunk of chunks) reader.push(chunk);
  return frames;
}

describe('FrameReader', () => {
  const texts = ['', 'a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(66_000)];
  const large = Buffer.concat([
    Buffer.of(0x81, 127, 0, 0, 0, 0, 0, 1, 0x01, 0xd0),
    Buffer.from(texts[4] as string),
  ]);
  const bytes = Buffer.concat([...texts.slice(0, 4).map((text) => serverFrame(text)), large]);

  it('finds every frame in one chunk, with each of the three kinds of length', () => {
    expect(read([bytes])).toEqual(texts.map((text) => [OPCODE.text, text]));
  });

  it.each([1, 2, 3, 127, 1_000])('finds the same in chunks of %i bytes', (size) => {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    expect(read(chunks)).toEqual(texts.map((text) => [OPCODE.text, text]));
  });

  it('tells pings and closes from texts', () => {
    expect(read([serverFrame('x', OPCODE.ping), serverFrame('', OPCODE.close)])).toEqual([
      [OPCODE.ping, 'x'],
      [OPCODE.close, ''],
    ]);
  });

  it('refuses a length that no server of ours announces', () => {
    expect(() => read([Buffer.of(0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0)])).toThrow(/bytes/);
  });
});

describe('clientFrame', () => {
  it('is final, masked with zero, and has the payload as it is', () => {
    expect([...clientFrame(OPCODE.text, Buffer.from('hi'))]).toEqual([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
  });

  it('writes a longer length in two bytes', () => {
    const frame = clientFrame(OPCODE.text, Buffer.alloc(300, 1));
    expect([...frame.subarray(0, 4)]).toEqual([0x81, 0xfe, 1, 44]);
    expect(frame.length).toBe(308);
  });

  it('writes one above 64 KiB in eight', () => {
    const frame = clientFrame(OPCODE.binary, Buffer.alloc(65_536, 1));
    expect([...frame.subarray(0, 10)]).toEqual([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]);
    expect(frame.length).toBe(65_550);
  });
});
