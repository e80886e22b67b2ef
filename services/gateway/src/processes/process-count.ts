/** How many gateway processes share the port, and which of them this one is. */

export interface CountSettings {
  /** GATEWAY_PROCESSES; null when unset. */
  processes: number | 'all' | null;
  env: 'production' | 'development';
}

/** More cores than this are better used by gateways on further machines: each watched room costs every process. */
export const MAX_PROCESSES = 64;

/** `cores` is what the machine or container may use. */
export function processCount({ processes, env }: CountSettings, cores: number): number {
  const wanted = processes ?? (env === 'production' ? 'all' : 1);
  return wanted === 'all' ? Math.min(Math.max(cores, 1), MAX_PROCESSES) : wanted;
}

/** One of several processes. */
export interface Place {
  /** From 0; a process that takes the place of another has its index. */
  index: number;
  /** How many there are. */
  of: number;
}

/** The argument that tells a forked process its place; `ps` shows it. */
export function placeArgument({ index, of }: Place): string {
  return `--process=${index}/${of}`;
}

/** Null in a process that nobody of ours has forked. */
export function placeOf(args: readonly string[]): Place | null {
  for (const argument of args) {
    const [, index, of] = /^--process=(\d+)\/(\d+)$/.exec(argument) ?? [];
    if (index !== undefined) return { index: Number(index), of: Number(of) };
  }
  return null;
}
