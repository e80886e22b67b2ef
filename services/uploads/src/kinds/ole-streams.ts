/** Looks for the names of streams in a compound file ([MS-CFB]) while its parts go by. */

/** Directory entries have this length, and sectors are multiples of it: each is at a multiple. */
const ENTRY_BYTES = 128;
const NAME_LENGTH_AT = 64;
const OBJECT_TYPE_AT = 66;
const STREAM = 2;

/**
 * Follows no sector chain: an entry of that name anywhere where one may be is enough to tell a Word file
 * from an installer, which has the same magic bytes.
 */
export class OleStreams {
  readonly #names: Buffer[];
  /** The beginning of an entry whose end comes with the next part. */
  #rest: Uint8Array = new Uint8Array();
  #found = false;

  constructor(names: readonly string[]) {
    this.#names = names.map((name) => Buffer.from(`${name}\0`, 'utf16le'));
  }

  push(bytes: Uint8Array): void {
    if (this.#found) return;
    let at = 0;
    if (this.#rest.length > 0) {
      at = Math.min(ENTRY_BYTES - this.#rest.length, bytes.length);
      this.#rest = Buffer.concat([this.#rest, bytes.subarray(0, at)]);
      if (this.#rest.length < ENTRY_BYTES) return;
      this.#look(this.#rest);
    }
    for (; at + ENTRY_BYTES <= bytes.length && !this.#found; at += ENTRY_BYTES)
      this.#look(bytes.subarray(at, at + ENTRY_BYTES));
    this.#rest = Uint8Array.from(bytes.subarray(at));
  }

  get found(): boolean {
    return this.#found;
  }

  #look(entry: Uint8Array): void {
    if (entry[OBJECT_TYPE_AT] !== STREAM) return;
    this.#found = this.#names.some(
      (name) => entry[NAME_LENGTH_AT] === name.length && name.equals(entry.subarray(0, name.length)),
    );
  }
}
