/** Lines that wait for the bus, in their order, within a cap of lines and one of bytes. */

export interface QueuedLine {
  subject: string;
  text: string;
  bytes: number;
  /** Position among all lines of this process. */
  number: number;
}

export interface QueueCaps {
  lines: number;
  /** Of the texts as UTF-8; a text that is not Latin-1 takes up to twice its bytes of memory. */
  bytes: number;
}

export class LineQueue {
  readonly #caps: QueueCaps;
  #waiting: QueuedLine[] = [];
  /** What is before it in `#waiting` has been taken. */
  #head = 0;
  /** Lines that wait, and those that were taken and are not done. */
  #lines = 0;
  #bytes = 0;

  constructor(caps: QueueCaps) {
    this.#caps = caps;
  }

  /** Lines that wait or are under way. */
  get size(): number {
    return this.#lines;
  }

  /** Whether less than half of each cap is used. */
  get isHalfEmpty(): boolean {
    return this.#lines * 2 < this.#caps.lines && this.#bytes * 2 < this.#caps.bytes;
  }

  /** False when there is no room. */
  push(line: QueuedLine): boolean {
    if (this.#lines + 1 > this.#caps.lines || this.#bytes + line.bytes > this.#caps.bytes) return false;
    this.#lines += 1;
    this.#bytes += line.bytes;
    this.#waiting.push(line);
    return true;
  }

  /** The oldest one that waits; it counts against the caps until it is `done` or put back. */
  take(): QueuedLine | undefined {
    const line = this.#waiting[this.#head];
    if (line === undefined) return undefined;
    this.#head += 1;
    // Moving what is left costs as much as it is: seldom enough to be nothing per line.
    if (this.#head > 1_024 || this.#head === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return line;
  }

  done(line: QueuedLine): void {
    this.#lines -= 1;
    this.#bytes -= line.bytes;
  }

  /** Lines that were taken, to be taken again before all others, in their order. */
  putBack(lines: QueuedLine[]): void {
    lines.sort((a, b) => a.number - b.number);
    this.#waiting = [...lines, ...this.#waiting.slice(this.#head)];
    this.#head = 0;
  }
}
