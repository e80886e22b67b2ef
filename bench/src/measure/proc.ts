/** What /proc says of processes and cores; each parser fails on a text it doesn't know. */

/** USER_HZ: 100 on every Linux that Node runs on, whatever the kernel's own tick. */
const TICKS_PER_SECOND = 100;

export interface Memory {
  /** Resident, shared pages included, in bytes. */
  rss: number;
  /** The same with each shared page divided among those who share it. */
  pss: number;
}

export interface CoreTimes {
  /** Seconds since boot, of this core. */
  total: number;
  idle: number;
  /** Time in which the hypervisor ran somebody else. */
  steal: number;
}

/** CPU seconds, user and system, of all threads: /proc/PID/stat. */
export function parseCpuSeconds(stat: string): number {
  // The name in parentheses may hold anything; state is the first field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (ticks(fields[11]) + ticks(fields[12])) / TICKS_PER_SECOND;
}

/** Nanoseconds on a core of one thread: /proc/PID/task/TID/schedstat. */
export function parseRunNanoseconds(schedstat: string): number {
  return ticks(schedstat.split(' ')[0]);
}

/** /proc/PID/smaps_rollup. */
export function parseMemory(rollup: string): Memory {
  const bytes = (name: string) => ticks(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1]) * 1_024;
  return { rss: bytes('Rss'), pss: bytes('Pss') };
}

/** Each core, by its number: /proc/stat. */
export function parseCoreTimes(stat: string): Map<number, CoreTimes> {
  const cores = new Map<number, CoreTimes>();
  for (const [, number, rest] of stat.matchAll(/^cpu(\d+) (.+)$/gm)) {
    // user nice system idle iowait irq softirq steal; guest time is part of user.
    const times = (rest as string)
      .split(' ')
      .slice(0, 8)
      .map((field) => ticks(field) / TICKS_PER_SECOND);
    cores.set(Number(number), {
      total: times.reduce((sum, time) => sum + time, 0),
      idle: (times[3] as number) + (times[4] as number),
      steal: times[7] as number,
    });
  }
  if (cores.size === 0) throw new Error('/proc/stat names no core');
  return cores;
}

function ticks(field: string | undefined): number {
  const value = Number(field);
  if (field === undefined || field === '' || !Number.isFinite(value))
    throw new Error(`/proc: ${field} is no number`);
  return value;
}
