/** Collects garbage once a gateway has become calm: what thousands of connections leave behind when they come. */
import { performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Logger } from '@natter/runtime';

/** The share of a second in which the event loop may have worked. */
const CALM_SHARE = 0.1;
/** For so long; a lull in a storm of reconnects is shorter. */
const CALM_SECONDS = 3;
/** Between two collections. */
const REST_SECONDS = 10;
/** To how many times what was left by the last collection objects must have grown, and by how much at least. */
const GROWN = 1.2;
const GROWN_BYTES = 4 * 1024 * 1024;

export interface CalmGarbageDeps {
  /** Share of the time since the last call in which the event loop worked. */
  busyShare(): number;
  /** Of objects that outlived their youth; the others are collected all the time. */
  oldBytes(): number;
  collect(): void;
}

/**
 * V8 lets objects double before it collects them, and a gateway that has become calm makes none: it would keep
 * half a minute, and sometimes for ever, some KB for each connection that came. Collecting sooner at all times costs
 * those who connect (docs/performance.md); this costs one pause when there is hardly anybody to notice.
 */
export class CalmGarbage {
  readonly #deps: CalmGarbageDeps;
  /** Nothing much is left behind by a gateway that was never busy. */
  #wasBusy = false;
  #calmSeconds = 0;
  #restSeconds = 0;
  /** When it was looked at last. */
  #oldBytes: number;
  /** What was left after the last collection, ours or V8's. */
  #leftBytes: number;

  constructor(deps: CalmGarbageDeps) {
    this.#deps = deps;
    this.#oldBytes = deps.oldBytes();
    this.#leftBytes = this.#oldBytes;
  }

  /** Call it every second. */
  tick(): void {
    const isCalm = this.#deps.busyShare() < CALM_SHARE;
    this.#wasBusy ||= !isCalm;
    this.#calmSeconds = isCalm ? this.#calmSeconds + 1 : 0;
    this.#restSeconds -= 1;
    const old = this.#deps.oldBytes();
    // They become fewer only when V8 has collected.
    if (old < this.#oldBytes) this.#leftBytes = old;
    this.#oldBytes = old;
    const grown = old >= Math.max(this.#leftBytes * GROWN, this.#leftBytes + GROWN_BYTES);
    if (!this.#wasBusy || this.#calmSeconds < CALM_SECONDS || this.#restSeconds > 0 || !grown) return;
    this.#deps.collect();
    this.#oldBytes = this.#deps.oldBytes();
    this.#leftBytes = this.#oldBytes;
    this.#wasBusy = false;
    this.#restSeconds = REST_SECONDS;
  }
}

/** That of this process, for as long as it lives. */
export function collectGarbageWhenCalm(log: Logger): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  let before = performance.eventLoopUtilization();
  const garbage = new CalmGarbage({
    busyShare() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    },
    oldBytes,
    collect() {
      const [was, begin] = [oldBytes(), performance.now()];
      gc();
      const ms = Math.round(performance.now() - begin);
      log.debug({ ms, freedBytes: was - oldBytes() }, 'garbage collected while calm');
    },
  });
  setInterval(() => garbage.tick(), 1_000).unref();
}

function oldBytes(): number {
  let bytes = 0;
  for (const { space_name, space_used_size } of getHeapSpaceStatistics())
    if (!space_name.startsWith('new_')) bytes += space_used_size;
  return bytes;
}
