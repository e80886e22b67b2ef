/** The text of a file that is text: decoded, as much of it as is kept. */
import { byteOrderMark } from '../kinds/text-check.ts';

/** Most bytes of one UTF-16 unit in any of the encodings. */
const BYTES_PER_CHAR = 3;

/**
 * At most `most` characters. By its byte order mark, else UTF-8 where it is that, else windows-1252,
 * which is Latin-1 with more letters (WHATWG Encoding). Reads no more of the file than it needs.
 */
export async function plainText(parts: AsyncIterable<Uint8Array>, most: number): Promise<string> {
  const kept: Uint8Array[] = [];
  let room = most * BYTES_PER_CHAR;
  for await (const part of parts) {
    kept.push(Uint8Array.from(part.subarray(0, room)));
    room -= part.length;
    if (room <= 0) break;
  }
  return decode(Buffer.concat(kept), room < 0).slice(0, most);
}

/** `cut`: the last character may not be whole. */
function decode(bytes: Uint8Array, cut: boolean): string {
  const mark = byteOrderMark(bytes);
  if (mark !== null) return new TextDecoder(mark).decode(bytes, { stream: cut });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: cut });
  } catch {
    // It throws on nothing but bytes that are no UTF-8.
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
