/** The content type of a binary file by its first bytes. */
import { fileTypeFromBuffer } from 'file-type';

/** Largest buffer the parser may make: it looks at no more than the head it is given. */
const MAX_BUFFER = 1024 * 1024;

/** Null for what is no known binary format. `size`: of the whole file, of which `head` is the start. */
export async function binaryType(head: Uint8Array, size: number): Promise<string | null> {
  // Known by their magic alone. The library would inflate the one to look for a tar in it, and give up on
  // the other where a colour profile is larger than the head.
  if (begins(head, 0x1f, 0x8b, 0x08)) return 'application/gzip';
  if (begins(head, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a))
    return ascii(head, 12, 4) === 'IHDR' ? 'image/png' : null;
  // It skips a byte order mark; no binary format begins with one.
  if (begins(head, 0xef, 0xbb, 0xbf)) return null;
  const type = await detect(head);
  return type !== null && (STRICTER[type]?.(head, size) ?? true) ? type : null;
}

/** Whether it begins as a ZIP archive does: with an entry, or, empty or split, with an end or a mark. */
export function isZip(head: Uint8Array): boolean {
  return (
    begins(head, 0x50, 0x4b, 0x03, 0x04) ||
    begins(head, 0x50, 0x4b, 0x05, 0x06) ||
    begins(head, 0x50, 0x4b, 0x07, 0x08)
  );
}

async function detect(head: Uint8Array): Promise<string | null> {
  try {
    return (await fileTypeFromBuffer(head, { maxBufferSize: MAX_BUFFER }))?.mime ?? null;
  } catch {
    // Bytes that its parser can't follow are of no type it knows.
    return null;
  }
}

/** Where the library is content with two to four bytes, which a text may begin with too. */
const STRICTER: Record<string, (head: Uint8Array, size: number) => boolean> = {
  'image/gif': (head) => /^GIF8[79]a$/.test(ascii(head, 0, 6)),
  // Reserved bytes, then the length of one of the known headers.
  'image/bmp': (head) =>
    head.length > 26 &&
    head.subarray(6, 10).every((byte) => byte === 0) &&
    [12, 16, 40, 52, 56, 64, 108, 124].includes(view(head).getUint32(14, true)),
  'application/pdf': (head) => ascii(head, 0, 5) === '%PDF-',
  // ID3, or a frame of Layer III with a bit rate and a sampling rate.
  'audio/mpeg': (head) =>
    ascii(head, 0, 3) === 'ID3' ||
    ((head[1]! & 0x06) === 0x02 && (head[2]! & 0xf0) !== 0xf0 && (head[2]! & 0x0c) !== 0x0c),
  // A box of a length that fits: 0 is "to the end", 1 "the length follows".
  'video/quicktime': (head, size) => {
    const length = view(head).getUint32(0);
    return length <= 1 || (length >= 8 && length <= size);
  },
};

function begins(head: Uint8Array, ...bytes: number[]): boolean {
  return bytes.every((byte, index) => head[index] === byte);
}

function ascii(head: Uint8Array, from: number, length: number): string {
  return Buffer.from(head.subarray(from, from + length)).toString('latin1');
}

function view(head: Uint8Array): DataView {
  return new DataView(head.buffer, head.byteOffset, head.byteLength);
}
