/**
 * Lines that a feed has sent while somebody was about to join it: between their last read of LOGS
 * and the moment they join, nothing is lost.
 */
import type { ShownLine } from '../../session/logs/log-wire.ts';

/** Above either the oldest go; who still needs them reads LOGS once more. */
const LINES = 1_000;
const BYTES = 1024 * 1024;

export class RecentLines {
  /** Lines that were ever sent. */
  #count = 0;
  #bytes = 0;
  #lines: ShownLine[] = [];
  readonly #marks = new Set<symbol>();

  get count(): number {
    return this.#count;
  }

  /** Whether anybody needs the lines. */
  get wanted(): boolean {
    return this.#marks.size > 0;
  }

  /** From now on lines are kept, until the mark is released. */
  mark(): { at: number; release: () => void } {
    const mark = Symbol('mark');
    this.#marks.add(mark);
    return {
      at: this.#count,
      release: () => {
        this.#marks.delete(mark);
        if (this.#marks.size === 0) this.#forget();
      },
    };
  }

  /** `bytes`: as it was stored, with all its fields. */
  add(line: ShownLine | null, bytes: number): void {
    this.#count += 1;
    if (line === null || !this.wanted) return;
    this.#lines.push(line);
    this.#bytes += bytes;
    if (this.#lines.length <= LINES && this.#bytes <= BYTES) return;
    // All at once: who joins has missed some of them in any case.
    this.#forget();
  }

  /** What was added behind a mark, or null where some of it is gone. */
  since(at: number): ShownLine[] | null {
    const missing = this.#count - at;
    if (missing > this.#lines.length) return null;
    return this.#lines.slice(this.#lines.length - missing);
  }

  #forget(): void {
    this.#lines = [];
    this.#bytes = 0;
  }
}
