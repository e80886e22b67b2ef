/** Judges, part by part, whether bytes are text to the last one. */

/** ASCII that is in no text: all controls but BEL, BS, TAB, LF, FF, CR and ESC, as file(1) has it. */
const BINARY = new Uint8Array(256);
for (let byte = 0; byte < 32; byte += 1) BINARY[byte] = 1;
for (const byte of [0x07, 0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x1b]) BINARY[byte] = 0;
BINARY[0x7f] = 1;

/** The longest byte order mark. */
const MARK_BYTES = 3;

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/** Says by its byte order mark how a text is written; null where it has none. */
export function byteOrderMark(start: Uint8Array): Encoding | null {
  if (start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf) return 'utf-8';
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le';
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be';
  return null;
}

/**
 * UTF-8 or UTF-16 with a byte order mark must be valid. Without one any byte above ASCII may be there:
 * it is UTF-8 or one of the Latin sets, and none of them has more than controls to be refused.
 */
export class TextCheck {
  /** What came before the first three bytes were together. */
  #start: Uint8Array = new Uint8Array();
  #judge: ((bytes: Uint8Array) => boolean) | null = null;
  #ended: () => boolean = () => true;
  #ok = true;

  push(bytes: Uint8Array): void {
    if (!this.#ok) return;
    if (this.#judge === null) {
      this.#start = Buffer.concat([this.#start, bytes]);
      if (this.#start.length >= MARK_BYTES) this.#begin();
      return;
    }
    this.#ok = this.#judge(bytes);
  }

  /** Whether all of it was text. */
  end(): boolean {
    if (this.#judge === null) this.#begin();
    return this.#ok && this.#ended();
  }

  #begin(): void {
    const encoding = byteOrderMark(this.#start);
    if (encoding === null) this.#judge = hasNoControls;
    else if (encoding === 'utf-8') [this.#judge, this.#ended] = utf8();
    else [this.#judge, this.#ended] = utf16(encoding);
    this.#ok = this.#judge(this.#start);
    this.#start = new Uint8Array();
  }
}

function hasNoControls(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index += 1) if (BINARY[bytes[index]!] === 1) return false;
  return true;
}

function utf8(): [(bytes: Uint8Array) => boolean, () => boolean] {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const valid = (bytes?: Uint8Array) => {
    try {
      decoder.decode(bytes, { stream: bytes !== undefined });
      return true;
    } catch {
      // It throws on nothing but bytes that are no UTF-8.
      return false;
    }
  };
  return [(bytes) => hasNoControls(bytes) && valid(bytes), () => valid()];
}

function utf16(encoding: 'utf-16le' | 'utf-16be'): [(bytes: Uint8Array) => boolean, () => boolean] {
  const low = encoding === 'utf-16le' ? 0 : 1;
  let odd: number | null = null;
  let afterHigh = false;
  const unit = (value: number): boolean => {
    if (value < 0x100 && BINARY[value] === 1) return false;
    if (value >= 0xfffe) return false;
    const isLow = value >= 0xdc00 && value <= 0xdfff;
    if (isLow !== afterHigh) return false;
    afterHigh = value >= 0xd800 && value <= 0xdbff;
    return true;
  };
  const pair = (first: number, second: number) => (low === 0 ? first | (second << 8) : (first << 8) | second);
  const judge = (bytes: Uint8Array): boolean => {
    let index = 0;
    if (odd !== null && bytes.length > 0) {
      if (!unit(pair(odd, bytes[0]!))) return false;
      odd = null;
      index = 1;
    }
    for (; index + 1 < bytes.length; index += 2)
      if (!unit(pair(bytes[index]!, bytes[index + 1]!))) return false;
    if (index < bytes.length) odd = bytes[index]!;
    return true;
  };
  return [judge, () => odd === null && !afterHigh];
}
