/** A process of the benchmark's own, such as a peer, that answers requests over IPC. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

const START_MS = 30_000;

export class HelperProcess<Request extends string | object, Reply> {
  readonly #child: ChildProcess;
  readonly #name: string;

  /** Resolves when its main file called `serveParent`. */
  static async start<Request extends string | object, Reply>(
    name: string,
    entry: string,
  ): Promise<HelperProcess<Request, Reply>> {
    const helper = new HelperProcess<Request, Reply>(name, entry);
    await helper.#answer(START_MS);
    return helper;
  }

  private constructor(name: string, entry: string) {
    this.#name = name;
    this.#child = fork(entry, [], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('error', () => undefined);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** One at a time; rejects after `timeoutMs` or when the process ends. */
  async ask(request: Request, timeoutMs: number): Promise<Reply> {
    const answer = this.#answer(timeoutMs);
    this.#child.send(request);
    return (await answer) as Reply;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #answer(timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        clearTimeout(timer);
        this.#child.off('message', onMessage);
        this.#child.off('exit', onExit);
        settle();
      };
      const onMessage = ({ reply, failed }: { reply?: unknown; failed?: string }) =>
        done(() => (failed === undefined ? resolve(reply) : reject(new Error(`${this.#name}: ${failed}`))));
      const onExit = () => done(() => reject(new Error(`${this.#name} ended`)));
      const timer = setTimeout(
        () => done(() => reject(new Error(`${this.#name} did not answer for ${timeoutMs} ms`))),
        timeoutMs,
      );
      this.#child.on('message', onMessage);
      this.#child.on('exit', onExit);
    });
  }
}
