/** Gives processes cores of their own, where the machine can. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Cores by number: the process under test has one, everything else the other. */
export const CORE = { underTest: 0, load: 1 } as const;

export class Cores {
  /** Why nothing is pinned, or null. */
  readonly why: string | null;

  constructor() {
    this.why = whyNot();
  }

  /** Moves a process with all its threads; what it forks later goes along. */
  pin(pid: number, core: number | 'any'): void {
    if (this.why !== null) return;
    const list = core === 'any' ? `${CORE.underTest},${CORE.load}` : String(core);
    const result = spawnSync('taskset', ['-apc', list, String(pid)], { encoding: 'utf8' });
    // A thread may end while taskset goes through them.
    if (result.status !== 0 && !/No such process/.test(result.stderr))
      throw new Error(`taskset: ${result.stderr.trim()}`);
  }
}

function whyNot(): string | null {
  if (spawnSync('taskset', ['--version']).error) return 'taskset (util-linux) is not installed';
  return availableParallelism() < 2 ? 'only one core may be used' : null;
}
