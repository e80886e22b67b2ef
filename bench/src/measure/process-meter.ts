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

/** CPU seconds of a process so far, in steps of 10 ms. */
export function cpuSeconds(pid: number): number {
  return parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/** The same to the nanosecond, without threads that have ended: for a process that does little. */
export function fineCpuSeconds(pid: number): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) =>
    parseRunNanoseconds(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')),
  );
  return nanoseconds.reduce((sum, value) => sum + value, 0) / 1e9;
}

export function memory(pid: number): Memory {
  return parseMemory(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
}

export function coreTimes(): Map<number, CoreTimes> {
  return parseCoreTimes(readFileSync('/proc/stat', 'utf8'));
}
