/** Which bytes of a file a request wants. Source: RFC 9110, section 14. */

export interface ByteRange {
  /** The first byte, and the one behind the last. */
  start: number;
  end: number;
}

/**
 * Reads a Range header: one range, or `unsatisfiable` where it means no byte of the file.
 *
 * `whole` where there is none, and for what a server may ignore (section 14.2): several ranges,
 * another unit, and what is no range, also one that ends before it begins (section 14.1.1).
 */
export function byteRange(header: string, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  const [, first = '', last = ''] = /^\s*bytes\s*=\s*(\d*)-(\d*)\s*$/i.exec(header) ?? [];
  if (first === '') {
    if (last === '') return 'whole';
    // The last bytes of the file, as many as it says or all.
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'whole';
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  return start < end ? { start, end } : 'unsatisfiable';
}
