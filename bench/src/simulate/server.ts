/**
 * Cores that do work in the order in which it comes, and never idle while some waits.
 *
 * Several cores are one that is as many times as fast: right for how long a queue takes, and too
 * good by the time of one piece of work for a single request on an idle machine, which is under 2 ms.
 */

/** Width of the windows in which it is counted how busy it was. */
export const WINDOW_MS = 1_000;

export class Server {
  /** Core milliseconds of work taken, done or waiting. */
  work = 0;
  readonly #speed: number;
  #freeAt = 0;
  /** Milliseconds busy in each window, from time 0. */
  readonly #busy: number[] = [];

  /** `speed`: core milliseconds that are done in a millisecond. */
  constructor(speed: number) {
    if (!(speed > 0)) throw new RangeError(`a server of speed ${speed}`);
    this.#speed = speed;
  }

  /** Does work of so many core milliseconds, after what came before; returns when it is done. */
  serve(nowMs: number, work: number): number {
    const start = Math.max(nowMs, this.#freeAt);
    this.#freeAt = start + work / this.#speed;
    this.work += work;
    this.#count(start, this.#freeAt);
    return this.#freeAt;
  }

  /** How long something that comes now would wait. */
  backlog(nowMs: number): number {
    return Math.max(0, this.#freeAt - nowMs);
  }

  /** Forgets what waits, and takes nothing up before `nowMs`: it was killed. */
  reset(nowMs: number): void {
    this.#uncount(nowMs, this.#freeAt);
    this.#freeAt = nowMs;
  }

  /** Share of each window from 0 to 1 in which it was busy. */
  busyShares(): number[] {
    return Array.from(this.#busy, (ms) => (ms ?? 0) / WINDOW_MS);
  }

  #count(from: number, to: number, sign = 1): void {
    for (let window = Math.floor(from / WINDOW_MS); window * WINDOW_MS < to; window += 1) {
      const overlap = Math.min(to, (window + 1) * WINDOW_MS) - Math.max(from, window * WINDOW_MS);
      this.#busy[window] = (this.#busy[window] ?? 0) + sign * overlap;
    }
  }

  #uncount(from: number, to: number): void {
    if (to <= from) return;
    this.#count(from, to, -1);
    this.work -= (to - from) * this.#speed;
  }
}
