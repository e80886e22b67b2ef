/** Fuzzes one target after the other in a process of its own, which may die of it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { HelperProcess } from '../helper-process.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import type { FuzzerReply, FuzzerRequest } from './fuzzer/main.ts';

export interface FuzzJob {
  target: string;
  frames: number;
}

export interface Fuzzed extends FuzzerReply {
  name: string;
  /** Frames made and read in a second of CPU. */
  perCoreSecond: number;
  /** The process ended, or read a frame for longer than it may; null otherwise. */
  died: { why: string; frame: string; block: number } | null;
}

/** Frames that begin with a state of their own, so that one block can be had again. */
const BLOCK_FRAMES = 10_000;
/** Blocks of one request, which is how long a hang may be taken for work. */
const BLOCKS_AT_ONCE = 5;
const ANSWER_MS = 180_000;
const KEPT_FRAME_BYTES = 2_048;
/** Before the frame in a trace. */
const HEAD_BYTES = 5;
const ENTRY = `${import.meta.dirname}/fuzzer/main.ts`;

type Fuzzer = HelperProcess<FuzzerRequest, FuzzerReply>;

export class FuzzLane {
  readonly #bench: Bench;
  readonly #core: number;
  #fuzzer: Fuzzer | null = null;

  /** `core`: of the machine. */
  constructor(bench: Bench, core: number) {
    this.#bench = bench;
    this.#core = core;
  }

  /** Never rejects for what a frame does. */
  async fuzz({ target, frames }: FuzzJob): Promise<Fuzzed> {
    const blocks = Math.ceil(frames / BLOCK_FRAMES);
    const fuzzer = await this.#begun();
    let totals = await this.#begin(fuzzer, target);
    const before = cpuSeconds(fuzzer.pid);
    let perCoreSecond = 0;
    for (let from = 0; from < blocks; from += BLOCKS_AT_ONCE) {
      const to = Math.min(blocks, from + BLOCKS_AT_ONCE);
      try {
        totals = await fuzzer.ask({ type: 'blocks', from, to, frames: BLOCK_FRAMES }, ANSWER_MS);
        perCoreSecond = Math.round(totals.frames / (cpuSeconds(fuzzer.pid) - before));
      } catch (error) {
        await this.end();
        const died = await this.#findKiller(target, from, to, String(error));
        return { ...totals, name: target, perCoreSecond, died };
      }
    }
    return { ...totals, name: target, perCoreSecond, died: null };
  }

  async end(): Promise<void> {
    await this.#fuzzer?.stop();
    this.#fuzzer = null;
  }

  async #begun(): Promise<Fuzzer> {
    if (this.#fuzzer === null) {
      const fuzzer = await HelperProcess.start<FuzzerRequest, FuzzerReply>('fuzzer', ENTRY);
      this.#bench.defer(() => fuzzer.stop());
      this.#bench.cores.pin(fuzzer.pid, this.#core);
      this.#fuzzer = fuzzer;
    }
    return this.#fuzzer;
  }

  #begin(fuzzer: Fuzzer, target: string): Promise<FuzzerReply> {
    return fuzzer.ask({ type: 'begin', target, seed: this.#bench.seed }, ANSWER_MS);
  }

  /** Goes through the blocks again, one by one, each frame written down before it is read. */
  async #findKiller(target: string, from: number, to: number, why: string) {
    const dir = mkdtempSync(join(tmpdir(), 'natter-fuzz-'));
    const file = join(dir, 'frame');
    try {
      const fuzzer = await this.#begun();
      await this.#begin(fuzzer, target);
      for (let block = from; block < to; block += 1) {
        try {
          await fuzzer.ask({ type: 'trace', block, frames: BLOCK_FRAMES, file }, ANSWER_MS);
        } catch (error) {
          await this.end();
          const written = readFileSync(file);
          const bytes = Math.min(KEPT_FRAME_BYTES, written.readUInt32LE(0));
          const frame = written.subarray(HEAD_BYTES, HEAD_BYTES + bytes);
          return { why: String(error), frame: frame.toString('base64'), block };
        }
      }
      return { why: `${why}; not again when it was tried once more`, frame: '', block: from };
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
}
