/** One service as a real child process that a test may kill, stop, pause and start again. */

import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { killWithParent } from '@natter/runtime';
import { serviceArguments } from '@natter/runtime/node-arguments';

export interface ServiceOptions {
  name: string;
  /** Path of its main.ts. */
  entry: string;
  env: Record<string, string | undefined>;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Output kept per process; a test that needs more asserts too late. */
const MAX_LINES = 2_000;
const READY_TIMEOUT_MS = 30_000;
/** Above NATTER_SHUTDOWN_TIMEOUT_MS, 30 s; a gateway takes up to 20 s to send many connections away. */
const STOP_TIMEOUT_MS = 35_000;

export class ServiceProcess {
  readonly name: string;
  /** What it wrote on both outputs since its first start, oldest first, at most 2,000 lines. */
  readonly lines: string[] = [];
  readonly #options: ServiceOptions;
  #child!: ChildProcess;
  #ended!: Promise<Exit>;
  #ports: Record<string, number> = {};
  #guard: { release(): void } | null = null;
  readonly #onLine = new Set<() => void>();

  /** Resolves when it says that it is ready; rejects with its reason or last words. */
  static async start(options: ServiceOptions): Promise<ServiceProcess> {
    const service = new ServiceProcess(options);
    await service.#fork();
    return service;
  }

  private constructor(options: ServiceOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Ports by name, as the service reported them. */
  get ports(): Record<string, number> {
    return this.#ports;
  }

  /** Resolves when the process that runs now has ended. */
  get ended(): Promise<Exit> {
    return this.#ended;
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** SIGTERM; fails when it takes longer than 35 s. Returns how it ended. */
  async stop(): Promise<Exit> {
    this.resume();
    this.#child.kill('SIGTERM');
    let late = false;
    const force = setTimeout(() => {
      late = true;
      this.#child.kill('SIGKILL');
    }, STOP_TIMEOUT_MS);
    const exit = await this.#ended;
    clearTimeout(force);
    if (late) throw new Error(`${this.name} ignored SIGTERM for ${STOP_TIMEOUT_MS} ms`);
    return exit;
  }

  /** Starts it again with the same settings; stops it first if it still runs. */
  async restart(): Promise<void> {
    await this.stop();
    await this.#fork();
  }

  /** SIGSTOP: it keeps its sockets and does nothing. */
  pause(): void {
    // A stopped process doesn't see its parent die.
    this.#guard ??= killWithParent(this.pid);
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
    this.#guard?.release();
    this.#guard = null;
  }

  /** The first line, past or to come, that matches; fails with the last lines after `timeoutMs`. */
  async line(wanted: RegExp, timeoutMs = 10_000): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = this.lines.find((line) => wanted.test(line));
      if (found !== undefined) return found;
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`${this.name} wrote no line like ${wanted}.\n${this.lastWords()}`);
      await this.#nextLine(leftMs);
    }
  }

  /** Its last lines, for the report of a failure. */
  lastWords(count = 50): string {
    return this.lines
      .slice(-count)
      .map((line) => `  ${this.name} | ${line}`)
      .join('\n');
  }

  async #fork(): Promise<void> {
    const { entry, env } = this.#options;
    const child = fork(entry, [], {
      env: env as NodeJS.ProcessEnv,
      execArgv: serviceArguments(entry),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#keep(line));
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.once('error', () => resolve({ code: null, signal: null }));
    });
    this.#ports = await this.#ready(child);
  }

  async #ready(child: ChildProcess): Promise<Record<string, number>> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        const fail = (why: string) => reject(new Error(`${this.name} ${why}\n${this.lastWords()}`));
        timer = setTimeout(() => {
          child.kill('SIGKILL');
          fail(`was not ready after ${READY_TIMEOUT_MS} ms`);
        }, READY_TIMEOUT_MS);
        child.on('message', (word: { ready?: Record<string, number>; failed?: string }) => {
          if (word.ready) resolve(word.ready);
          else fail(`could not start: ${word.failed}`);
        });
        void this.#ended.then(({ code, signal }) => fail(`ended before it was ready (${signal ?? code})`));
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #keep(line: string): void {
    this.lines.push(line);
    if (this.lines.length > MAX_LINES) this.lines.shift();
    for (const wake of this.#onLine) wake();
  }

  #nextLine(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#onLine.delete(done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      this.#onLine.add(done);
    });
  }
}
