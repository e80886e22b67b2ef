/** Bodies of lines that are held in memory on this gateway: read, being read, or being stored. */

/** Of all users together; a body is at most 1 MiB. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Of one user: it takes four to keep others out. */
const MAX_BYTES_OF_USER = 16 * 1024 * 1024;
/** What a request costs at least, however short its body is. */
const MIN_BYTES = 4_096;

/** Holds no more users than there are bodies. */
export class LogBodies {
  readonly #users = new Map<string, number>();
  #bytes = 0;

  /** Null where there are too many; else call the result once, when the request is answered. */
  begin(sub: string, length: number): (() => void) | null {
    const bytes = Math.max(length, MIN_BYTES);
    const ofUser = this.#users.get(sub) ?? 0;
    if (this.#bytes + bytes > MAX_BYTES || ofUser + bytes > MAX_BYTES_OF_USER) return null;
    this.#bytes += bytes;
    this.#users.set(sub, ofUser + bytes);
    return () => this.#end(sub, bytes);
  }

  #end(sub: string, bytes: number): void {
    this.#bytes -= bytes;
    const left = (this.#users.get(sub) ?? 0) - bytes;
    if (left > 0) this.#users.set(sub, left);
    else this.#users.delete(sub);
  }
}
