/** What a figure is, and what it is given. */

import type { CoreUse } from './measure/core-watch.ts';
import type { Cores } from './measure/cores.ts';
import type { Peer } from './peers/peer.ts';

/** `tiny` shows that everything works; its numbers mean nothing. */
export type Size = 'tiny' | 'quick' | 'full';

export interface Bench {
  readonly size: Size;
  readonly cores: Cores;
  /** Those to be measured beside, which can run here; a figure takes those that do its work. */
  readonly peers: readonly Peer[];
  /** Where CPU profiles of the processes under test go, or null for none. */
  readonly profileDir: string | null;
  /** Of what a figure leaves to chance: the same seed, the same choices. */
  readonly seed: number;
  /** Undone in reverse order when the figure ends, however it ends. */
  defer(undo: () => unknown): void;
  /** Tells the person who waits. */
  say(line: string): void;
}

export interface Measurement {
  /** `<figure>.<what>`; goals name it. */
  id: string;
  label: string;
  value: number;
  unit: string;
  /** Of the median over rounds; absent where one run gives one number. */
  interval?: { low: number; high: number; coverage: number; rounds: number };
  /** Of a ratio against what comes with npm: `--check` fails when it got worse by a fifth. */
  better?: 'higher' | 'lower';
  /** Why its goal was missed, as far as this run can tell. */
  why?: string;
}

export interface FigureResult {
  measurements: Measurement[];
  /** Cores during the measured parts only. */
  cores: CoreUse[];
  /** Everything else worth keeping, for the JSON file. */
  details: Record<string, unknown>;
}

export interface Figure {
  name: string;
  title: string;
  /** For the plan of capacity, long, or also in `npm test`: only a full run has it without being told its name. */
  onlyByName?: true;
  run(bench: Bench): Promise<FigureResult>;
}
