/** Something that reads bytes of strangers, and what must hold of what it makes of them. */
import type { Seed } from '../seed.ts';

export interface FuzzTarget {
  readonly name: string;
  readonly seeds: readonly Seed[];
  /** Whatever it throws is a crash. This is what is timed. */
  read(bytes: Uint8Array, isBinary: boolean): unknown;
  /** What is wrong with what `read` returned, or null. */
  problem(result: unknown, bytes: Uint8Array, isBinary: boolean): string | null;
}
