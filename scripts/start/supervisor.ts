/** Keeps processes running: starts again what dies, stops all in order, gives up in the end. */

export interface Process {
  /** Rejects when it can't start. */
  ready: Promise<unknown>;
  /** Resolves with what ended it. */
  ended: Promise<string>;
  stop(): Promise<void>;
  kill(): void;
}

export interface SupervisorOptions {
  /** Tells people that something died and is started again. */
  warn: (text: string) => void;
  /** Called once, with one sentence, when something dies too often. */
  gaveUp: (sentence: string) => void;
  now?: () => number;
  sleep?: (ms: number) => Promise<void>;
}

/** A process that dies a sixth time within a minute is broken, and restarting it hides that. */
const MAX_DEATHS = 5;
const DEATHS_WINDOW_MS = 60_000;
const FIRST_DELAY_MS = 100;

interface Kept {
  name: string;
  start: () => Process;
  current: Process;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #kept: Kept[] = [];
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * Starts a process and keeps it running from the moment it is ready.
   *
   * `stop` ends processes in the reverse order of these calls.
   */
  keep<P extends Process>(name: string, start: () => P): P {
    const first = start();
    const kept: Kept = { name, start, current: first };
    this.#kept.push(kept);
    void this.#watch(kept);
    return first;
  }

  /** Stops everything, the last kept first; each is done before the next is told. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { current } of this.#kept.toReversed()) await current.stop();
  }

  /** Ends everything at once. */
  kill(): void {
    this.#stopping = true;
    for (const { current } of this.#kept) current.kill();
  }

  async #watch(kept: Kept): Promise<void> {
    const { now = Date.now, sleep = pause, warn } = this.#options;
    // A first start that fails is the caller's to report: nothing worked yet.
    if (!(await succeeds(kept.current.ready))) return;
    for (let deaths: number[] = []; ; ) {
      const how = await kept.current.ended;
      if (this.#stopping) return;
      deaths = [...deaths.filter((at) => now() - at < DEATHS_WINDOW_MS), now()];
      if (deaths.length > MAX_DEATHS) {
        const times = `${deaths.length} times within a minute`;
        return this.#options.gaveUp(`The ${kept.name} ended ${times} (last: ${how}); everything stops.`);
      }
      const delayMs = FIRST_DELAY_MS * 2 ** (deaths.length - 1);
      warn(`The ${kept.name} ended (${how}); it is started again in ${delayMs} ms.`);
      await sleep(delayMs);
      if (this.#stopping) return;
      kept.current = kept.start();
      // One that doesn't become ready ends by itself or is ended here, and counts as a death.
      if (!(await succeeds(kept.current.ready))) kept.current.kill();
    }
  }
}

function succeeds(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
