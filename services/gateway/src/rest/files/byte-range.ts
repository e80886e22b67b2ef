/** Which bytes of a file a request wants. Source: RFC 9110, section 14. */

export interface ByteRange {
  /** The first byte, and the one behind the last. */
  start: number;
  end: number;
}

/**
 * Reads a Range header: one range; `whole` where there is none, another unit, or several, which a
 * server may ignore; `invalid` where no byte of the file is meant.
 */
export function byteRange(header: string, size: number): ByteRange | 'whole' | 'invalid' {
  const [unit = '', set] = header.split('=', 2);
  if (set === undefined ? header.trim() === '' : unit.trim().toLowerCase() !== 'bytes') return 'whole';
  if (set?.includes(',')) return 'whole';
  const [, first = '', last = ''] = /^\s*(\d{0,15})-(\d{0,15})\s*$/.exec(set ?? '') ?? [];
  if (first === '') {
    // The last bytes of the file, as many as it says or all.
    const length = Math.min(Number(last), size);
    return last === '' || length === 0 ? 'invalid' : { start: size - length, end: size };
  }
  const start = Number(first);
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  return start < end ? { start, end } : 'invalid';
}
