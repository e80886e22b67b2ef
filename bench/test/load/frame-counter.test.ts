import { describe, expect, it } from 'vitest';
import { FrameCounter } from '../../src/load/frame-counter.ts';

/** A server's frame: not masked. */
function serverFrame(length: number, opcode = 1): Buffer {
  const head = length > 65_535 ? Buffer.alloc(10) : length > 125 ? Buffer.alloc(4) : Buffer.alloc(2);
  head[0] = 0x80 | opcode;
  head[1] = length > 65_535 ? 127 : length > 125 ? 126 : length;
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  // Payloads that look like heads: they must be skipped unread.
  return Buffer.concat([head, Buffer.alloc(length, 0x81)]);
}

function count(bytes: Buffer, chunk: number): [opcode: number, length: number][] {
  const frames: [number, number][] = [];
  const counter = new FrameCounter((opcode, length) => frames.push([opcode, length]));
  for (let at = 0; at < bytes.length; at += chunk)
    counter.push(bytes, at, Math.min(bytes.length, at + chunk));
  return frames;
}

describe('FrameCounter', () => {
  const lengths = [0, 1, 125, 126, 1_024, 65_535, 65_536, 0, 7];
  const bytes = Buffer.concat(lengths.map((length) => serverFrame(length)));

  it.each([1, 2, 3, 9, 1_000, bytes.length])('finds each frame once in chunks of %i bytes', (chunk) => {
    expect(count(bytes, chunk)).toEqual(lengths.map((length) => [1, length]));
  });

  it('tells pings from texts', () => {
    const mixed = Buffer.concat([serverFrame(0, 9), serverFrame(5), serverFrame(2, 8)]);
    expect(count(mixed, 4)).toEqual([
      [9, 0],
      [1, 5],
      [8, 2],
    ]);
  });

  it('says nothing of a frame whose last byte has not come', () => {
    expect(count(serverFrame(10).subarray(0, 11), 100)).toEqual([]);
  });
});
