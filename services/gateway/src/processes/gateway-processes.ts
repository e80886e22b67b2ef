/** Keeps so many gateway processes running: each is started again alone, or replaced without a gap. */
import type { Logger } from '@natter/runtime/process';
import { connectionShares } from './connection-shares.ts';
import type { GatewayProcess } from './gateway-process.ts';

export interface GatewayProcessesOptions {
  count: number;
  /** Of all processes together. */
  maxConnections: number;
  fork: (index: number) => GatewayProcess;
  /** Called when one that had ended by itself was started again. */
  restarted: () => void;
  log: Logger;
  now?: () => number;
  sleep?: (ms: number) => Promise<void>;
}

/** The wait before a new try doubles with each death within the last minute. */
const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 5_000;
const DEATHS_WINDOW_MS = 60_000;
/** With none running for so long, whoever keeps us should know. */
const GIVE_UP_MS = 60_000;
/** A process that says nothing for so many seconds hangs, and the kernel still gives it connections. */
const SILENT_TICKS = 30;

interface Slot {
  readonly index: number;
  /** The one that serves; null from its death until another is ready. */
  current: GatewayProcess | null;
  /** The one that is being started. */
  coming: { process: GatewayProcess; failure: Promise<Error | null> } | null;
  /** Times of those that died or could not start, within the last minute. */
  deaths: number[];
  silentTicks: number;
}

/** One that serves. */
export interface Serving {
  index: number;
  /** Its internal port, on loopback. */
  internalPort: number;
}

export class GatewayProcesses {
  /** Resolves when none could be kept running for a minute. */
  readonly gaveUp: Promise<Error>;
  readonly #giveUp: (reason: Error) => void;
  readonly #options: GatewayProcessesOptions;
  readonly #slots: Slot[];
  readonly #internalPorts = new WeakMap<GatewayProcess, number>();
  /** Replaced, and finishing what they have. */
  readonly #leaving = new Set<GatewayProcess>();
  #noneSinceMs = 0;
  #stopping = false;
  #replacing: Promise<void> | null = null;

  constructor(options: GatewayProcessesOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.gaveUp = promise;
    this.#giveUp = resolve;
    const indexes = Array.from({ length: options.count }, (_, index) => index);
    const empty = () => ({ current: null, coming: null, deaths: [], silentTicks: 0 });
    this.#slots = indexes.map((index) => ({ index, ...empty() }));
  }

  get serving(): Serving[] {
    return this.#slots.flatMap(({ index, current }) => {
      const internalPort = current === null ? undefined : this.#internalPorts.get(current);
      return internalPort === undefined ? [] : [{ index, internalPort }];
    });
  }

  /** Resolves when all are ready; rejects with the reason of one that can't start, when all have ended. */
  async start(): Promise<void> {
    const failures = await Promise.all(this.#slots.map((slot) => this.#bring(slot)));
    const failure = failures.find((error) => error !== null);
    if (failure === undefined) return;
    await this.stop();
    throw failure;
  }

  /** Looks who is silent, and shares out connections; call it every second. */
  tick(): void {
    for (const slot of this.#slots) {
      if (slot.current === null) continue;
      slot.silentTicks = slot.current.hasSpoken() ? 0 : slot.silentTicks + 1;
      if (slot.silentTicks < SILENT_TICKS) continue;
      this.#options.log.error(about(slot, slot.current), 'a gateway process hangs; it is killed');
      slot.silentTicks = 0;
      slot.current.kill();
    }
    this.#shareConnections();
  }

  /**
   * Replaces one after the other: a new process is ready before the old one stops, and the next is
   * replaced when the old one has ended. One that can't start ends the round; the old ones go on.
   */
  replaceAll(): Promise<void> {
    this.#replacing ??= this.#replaceAll().finally(() => {
      this.#replacing = null;
    });
    return this.#replacing;
  }

  /** Stops all at the same time. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const all = this.#slots.flatMap(({ current, coming }) => [current, coming?.process]);
    await Promise.all([...all, ...this.#leaving].map((process) => process?.stop()));
  }

  async #replaceAll(): Promise<void> {
    const { log, count } = this.#options;
    log.info({ count }, 'the gateway processes are replaced, one after the other');
    for (const slot of this.#slots) {
      if (this.#stopping) return;
      const old = slot.current;
      const failure = await this.#bring(slot);
      if (failure !== null) {
        const said = { process: slot.index, err: failure };
        log.error(said, 'a new gateway process could not start; the old ones go on');
        return;
      }
      if (old === null || old === slot.current) continue;
      this.#leaving.add(old);
      await old.stop();
      this.#leaving.delete(old);
    }
    log.info({ count }, 'the gateway processes are replaced');
  }

  /** Starts a process for the slot, which serves there once it is ready; the reason when it doesn't. */
  #bring(slot: Slot): Promise<Error | null> {
    if (slot.coming !== null) return slot.coming.failure;
    let process: GatewayProcess;
    try {
      process = this.#options.fork(slot.index);
    } catch (error) {
      // Without memory for one more, Node throws; the others must not end for it.
      return Promise.resolve(error instanceof Error ? error : new Error(String(error)));
    }
    const failure = process.ready.then(
      (ports) => {
        slot.coming = null;
        this.#arrived(slot, process, ports.internal ?? 0);
        return null;
      },
      (error: Error) => {
        slot.coming = null;
        process.kill();
        return error;
      },
    );
    slot.coming = { process, failure };
    return failure;
  }

  #arrived(slot: Slot, process: GatewayProcess, internalPort: number): void {
    slot.current = process;
    slot.silentTicks = 0;
    this.#internalPorts.set(process, internalPort);
    this.#options.log.info(about(slot, process), 'a gateway process is ready');
    this.#shareConnections();
    void this.#watch(slot, process);
  }

  /** Waits for its end; unless it was meant, another takes its place. */
  async #watch(slot: Slot, process: GatewayProcess): Promise<void> {
    const { log, now = Date.now, sleep = pause } = this.#options;
    const how = await process.ended;
    if (this.#stopping || slot.current !== process) return;
    slot.current = null;
    if (this.serving.length === 0) this.#noneSinceMs = now();
    log.error({ ...about(slot, process), how }, 'a gateway process ended; another takes its place');
    while (slot.current === null) {
      await sleep(this.#delayMs(slot, now()));
      // A round of replacements may have brought one meanwhile.
      if (this.#stopping || slot.current !== null) return;
      const failure = await this.#bring(slot);
      if (failure === null) this.#options.restarted();
      else if (!this.#stopping) this.#failed(slot, failure, now());
    }
  }

  #failed(slot: Slot, err: Error, nowMs: number): void {
    const { log, count } = this.#options;
    log.error({ process: slot.index, err }, 'a gateway process could not start; it is tried again');
    if (this.serving.length > 0 || nowMs - this.#noneSinceMs < GIVE_UP_MS) return;
    const seconds = GIVE_UP_MS / 1_000;
    this.#giveUp(new Error(`none of ${count} gateway processes ran for ${seconds} s; last: ${err.message}`));
  }

  #delayMs(slot: Slot, nowMs: number): number {
    slot.deaths = [...slot.deaths.filter((at) => nowMs - at < DEATHS_WINDOW_MS), nowMs];
    return Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** (slot.deaths.length - 1));
  }

  #shareConnections(): void {
    const running = this.#slots.flatMap(({ current }) => current ?? []);
    const sizes = running.map(({ connections }) => connections);
    const shares = connectionShares(this.#options.maxConnections, sizes);
    for (const [at, process] of running.entries()) process.setMaxConnections(shares[at] ?? 0);
  }
}

/** `pid` is taken: in every line it is that of the process that wrote it. */
function about({ index }: Slot, { pid }: GatewayProcess) {
  return { process: index, processPid: pid };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
