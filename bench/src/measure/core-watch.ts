/** How busy each core was during the measured parts of a figure. */

import type { CoreTimes } from './proc.ts';
import { coreTimes } from './process-meter.ts';

export interface CoreUse {
  core: number;
  /** Percent of the time that it did not idle, whoever used it. */
  busyPercent: number;
  /** Percent of the time that the hypervisor gave to others. */
  stealPercent: number;
}

export class CoreWatch {
  readonly #read: () => Map<number, CoreTimes>;
  readonly #sums = new Map<number, CoreTimes>();

  /** `read` is for tests; by default /proc/stat. */
  constructor(read = coreTimes) {
    this.#read = read;
  }

  /** Adds what passes until the returned function is called. */
  start(): () => void {
    const before = this.#read();
    return () => {
      for (const [core, now] of this.#read()) this.#add(core, before.get(core) ?? now, now);
    };
  }

  use(): CoreUse[] {
    return [...this.#sums].map(([core, { total, idle, steal }]) => ({
      core,
      busyPercent: percent(total - idle - steal, total),
      stealPercent: percent(steal, total),
    }));
  }

  #add(core: number, before: CoreTimes, now: CoreTimes): void {
    const sum = this.#sums.get(core) ?? { total: 0, idle: 0, steal: 0 };
    sum.total += now.total - before.total;
    sum.idle += now.idle - before.idle;
    sum.steal += now.steal - before.steal;
    this.#sums.set(core, sum);
  }
}

function percent(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.round((1_000 * part) / whole) / 10;
}
