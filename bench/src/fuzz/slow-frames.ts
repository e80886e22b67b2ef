/** Finds frames that take much longer to read than others of their size, and more than reading costs. */
import { Durations } from './durations.ts';

export interface SlowFrame {
  bytes: Uint8Array;
  isBinary: boolean;
  /** The quickest of several times, at two moments. */
  ms: number;
  /** How often the median of its size class; 0 while that is not known. */
  times: number;
}

/** How often the median of its size class a frame may take. */
const SLOW_TIMES = 50;
/**
 * What a byte may take besides: most frames of some sizes are refused at once, and to read one to its end
 * is no fault. The dearest that are read in proportion, brackets in brackets, take a twentieth of it.
 */
const SLOW_MS_PER_BYTE = 0.001;
/** Less is not looked at again. */
const LOOK_AT_MS = 0.05;
const LOOKS = 7;
/** Of one block. */
const MAX_SUSPECTS = 256;

export class SlowFrames {
  /** The one that took longest so far. */
  slowest: SlowFrame = { bytes: new Uint8Array(), isBinary: false, ms: 0, times: 0 };
  readonly #read: (bytes: Uint8Array, isBinary: boolean) => unknown;
  readonly #now: () => number;
  readonly #durations = new Durations();
  #suspects: SlowFrame[] = [];

  /** `now`: milliseconds. */
  constructor(read: (bytes: Uint8Array, isBinary: boolean) => unknown, now: () => number) {
    this.#read = read;
    this.#now = now;
  }

  /** A frame was read in this time; it is looked at again where that was long. */
  took(bytes: Uint8Array, isBinary: boolean, ms: number): void {
    this.#durations.add(bytes.length, ms);
    if (ms <= LOOK_AT_MS || this.#suspects.length >= MAX_SUSPECTS) return;
    const again = this.#look(bytes, isBinary);
    const isCandidate = again > this.slowest.ms || this.#isSlow(again, bytes.length);
    if (isCandidate) this.#suspects.push({ bytes: Uint8Array.from(bytes), isBinary, ms: again, times: 0 });
  }

  /** Those that are slow at another moment too: what the machine does besides is not the frame's fault. */
  confirmed(): SlowFrame[] {
    const found = this.#suspects.map((suspect) => {
      const ms = Math.min(suspect.ms, this.#look(suspect.bytes, suspect.isBinary));
      return { ...suspect, ms, times: this.#times(ms, suspect.bytes.length) };
    });
    this.#suspects = [];
    for (const one of found) if (one.ms > this.slowest.ms) this.slowest = one;
    return found.filter(({ ms, bytes }) => this.#isSlow(ms, bytes.length));
  }

  #isSlow(ms: number, bytes: number): boolean {
    return ms > LOOK_AT_MS && ms > bytes * SLOW_MS_PER_BYTE && this.#times(ms, bytes) > SLOW_TIMES;
  }

  #times(ms: number, bytes: number): number {
    const median = this.#durations.median(bytes);
    return median === null ? 0 : ms / median;
  }

  #look(bytes: Uint8Array, isBinary: boolean): number {
    let ms = Number.POSITIVE_INFINITY;
    for (let look = 0; look < LOOKS && ms > LOOK_AT_MS; look += 1) {
      const before = this.#now();
      this.#read(bytes, isBinary);
      ms = Math.min(ms, this.#now() - before);
    }
    return ms;
  }
}
