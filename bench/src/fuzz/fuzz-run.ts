/** Feeds one target with frames, block by block, and keeps what went wrong. */
import { writeSync } from 'node:fs';
import { minimise } from './minimise.ts';
import { Mutator } from './mutator.ts';
import { SlowFrames } from './slow-frames.ts';
import type { FuzzTarget } from './targets/fuzz-target.ts';
import { Xorshift } from './xorshift.ts';

export interface Finding {
  what: 'crash' | 'bounds' | 'slow';
  why: string;
  /** The shortest frame found that does the same, in base64; of a slow one the frame itself. */
  frame: string;
  isBinary: boolean;
  block: number;
}

export interface FuzzTotals {
  frames: number;
  bytes: number;
  /** Frames that were commands, or whatever else the target takes. */
  taken: number;
  crashes: number;
  outOfBounds: number;
  slow: number;
  /** Milliseconds of the frame that took longest, measured again; its bytes; how often the median. */
  slowest: { ms: number; bytes: number; times: number; frame: string };
  /** At most 20 of a kind: the first ones. */
  findings: Finding[];
}

const MAX_FINDINGS = 20;
/** Of a frame that is kept in a report. */
const KEPT_FRAME_BYTES = 2_048;

export class FuzzRun {
  readonly totals: FuzzTotals = {
    frames: 0,
    bytes: 0,
    taken: 0,
    crashes: 0,
    outOfBounds: 0,
    slow: 0,
    slowest: { ms: 0, bytes: 0, times: 0, frame: '' },
    findings: [],
  };
  readonly #target: FuzzTarget;
  readonly #seed: number;
  readonly #now: () => number;
  readonly #slow: SlowFrames;

  /** `now`: milliseconds. */
  constructor(target: FuzzTarget, seed: number, now: () => number) {
    this.#target = target;
    this.#seed = seed;
    this.#now = now;
    this.#slow = new SlowFrames((bytes, isBinary) => target.read(bytes, isBinary), now);
  }

  /** The same block of the same seed is the same frames. `trace`: a file that holds the frame under way. */
  block(block: number, frames: number, trace: number | null = null): void {
    const mutator = new Mutator(this.#target.seeds, new Xorshift(this.#seed, block));
    for (let frame = 0; frame < frames; frame += 1) {
      const bytes = mutator.next();
      if (trace !== null) writeFrame(trace, bytes, mutator.isBinary);
      this.#one(bytes, mutator.isBinary, block);
    }
    this.#confirmSlow(block);
    const polluted = Object.keys(Object.prototype);
    if (polluted.length > 0) this.#found('crash', `Object.prototype has ${polluted}`, null, false, block);
  }

  #one(bytes: Uint8Array, isBinary: boolean, block: number): void {
    const { totals } = this;
    totals.frames += 1;
    totals.bytes += bytes.length;
    const before = this.#now();
    let result: unknown;
    try {
      result = this.#target.read(bytes, isBinary);
    } catch (error) {
      return this.#found('crash', String(error).slice(0, 300), bytes, isBinary, block);
    }
    const ms = this.#now() - before;
    this.#slow.took(bytes, isBinary, ms);
    if ((result as { ok?: boolean } | undefined)?.ok === true) totals.taken += 1;
    const problem = this.#problem(result, bytes, isBinary);
    if (problem !== null) this.#found('bounds', problem, bytes, isBinary, block);
  }

  #problem(result: unknown, bytes: Uint8Array, isBinary: boolean): string | null {
    try {
      return this.#target.problem(result, bytes, isBinary);
    } catch (error) {
      return String(error).slice(0, 300);
    }
  }

  #confirmSlow(block: number): void {
    for (const { bytes, isBinary, ms, times } of this.#slow.confirmed())
      this.#found('slow', `${ms.toFixed(2)} ms, ${times.toFixed(0)} × the median`, bytes, isBinary, block);
    const { bytes, ms, times } = this.#slow.slowest;
    this.totals.slowest = { ms, bytes: bytes.length, times: Math.round(times), frame: inBase64(bytes) };
  }

  #found(
    what: Finding['what'],
    why: string,
    bytes: Uint8Array | null,
    isBinary: boolean,
    block: number,
  ): void {
    const { totals } = this;
    if (what === 'crash') totals.crashes += 1;
    else if (what === 'bounds') totals.outOfBounds += 1;
    else totals.slow += 1;
    if (totals.findings.filter((one) => one.what === what).length >= MAX_FINDINGS) return;
    const shortest =
      bytes === null || what === 'slow'
        ? bytes
        : minimise(bytes, (one) => this.#failure(one, isBinary) === why);
    totals.findings.push({ what, why, frame: inBase64(shortest ?? new Uint8Array()), isBinary, block });
  }

  /** What `#found` would be told of this frame; null where nothing is wrong. */
  #failure(bytes: Uint8Array, isBinary: boolean): string | null {
    try {
      return this.#problem(this.#target.read(bytes, isBinary), bytes, isBinary);
    } catch (error) {
      return String(error).slice(0, 300);
    }
  }
}

function inBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, KEPT_FRAME_BYTES)).toString('base64');
}

/** Its length, its kind, its bytes: whoever finds the file knows what was being read. */
function writeFrame(file: number, bytes: Uint8Array, isBinary: boolean): void {
  const head = Buffer.alloc(5);
  head.writeUInt32LE(bytes.length);
  head[4] = isBinary ? 1 : 0;
  writeSync(file, Buffer.concat([head, bytes]), 0, undefined, 0);
}
