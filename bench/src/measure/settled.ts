/** Waits until a process has come to rest. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Memory } from './proc.ts';
import { cpuSeconds, memory } from './process-meter.ts';

const LOOK_EVERY_MS = 100;

/** Resolves when the process has used less than 1 ms of CPU in 0.1 s, or after 5 s. */
export async function quiet(pid: number): Promise<void> {
  let before = cpuSeconds(pid);
  for (let look = 0; look < 50; look += 1) {
    await sleep(LOOK_EVERY_MS);
    const now = cpuSeconds(pid);
    if (now - before < 0.001) return;
    before = now;
  }
}

/** Memory once it has changed by less than 0.2% for `stillMs`, or after 8 s more. */
export async function settledMemory(pid: number, stillMs = 500): Promise<Memory> {
  const enough = stillMs / LOOK_EVERY_MS;
  let reference = memory(pid);
  let still = 0;
  for (let look = 0; look < 80 + enough && still < enough; look += 1) {
    await sleep(LOOK_EVERY_MS);
    const now = memory(pid);
    still = Math.abs(now.rss - reference.rss) < reference.rss * 0.002 ? still + 1 : 0;
    if (still === 0) reference = now;
  }
  return memory(pid);
}
