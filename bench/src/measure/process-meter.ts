/** Reads what processes and cores have used so far. */
import { readdirSync, readFileSync } from 'node:fs';
import {
  type CoreTimes,
  type Memory,
  parseCoreTimes,
  parseCpuSeconds,
  parseMemory,
  parseRunNanoseconds,
} from './proc.ts';

/**
 * CPU seconds of a process so far, user and system, of all threads that are alive.
 *
 * To the nanosecond where the kernel keeps schedstat; else in steps of 10 ms, from stat.
 */
export function cpuSeconds(pid: number): number {
  return runSeconds(pid) ?? parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

function runSeconds(pid: number): number | null {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += parseRunNanoseconds(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      // The thread has just ended, or this kernel has no schedstat.
      if (thread === String(pid)) return null;
    }
  }
  return nanoseconds / 1e9;
}

export function memory(pid: number): Memory {
  return parseMemory(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
}

export function coreTimes(): Map<number, CoreTimes> {
  return parseCoreTimes(readFileSync('/proc/stat', 'utf8'));
}
