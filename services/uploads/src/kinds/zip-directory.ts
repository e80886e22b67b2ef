/** The names in a ZIP archive, from its last bytes: nothing is unpacked. */

const END_BYTES = 22;
const ENTRY_BYTES = 46;

/**
 * The names of the central directory (APPNOTE 6.3.10, 4.3.12 and 4.3.16), or null where the bytes hold
 * none or not all of it.
 */
export function zipDirectory(tail: Uint8Array): string[] | null {
  const bytes = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength);
  const end = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0 || end + END_BYTES > bytes.length) return null;
  let at = end - bytes.readUInt32LE(end + 12);
  if (at < 0) return null;
  const names: string[] = [];
  while (at + ENTRY_BYTES <= end) {
    if (bytes.readUInt32LE(at) !== 0x02014b50) return null;
    const nameBytes = bytes.readUInt16LE(at + 28);
    names.push(bytes.toString('latin1', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes));
    at += ENTRY_BYTES + nameBytes + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return at === end ? names : null;
}
