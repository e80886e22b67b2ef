/** One gateway as a child process: forked, ready by its own word, stopped in order. */
import { fork } from 'node:child_process';
import { killWithParent } from '@natter/runtime/process';
import { type Place, placeArgument } from './process-count.ts';
import type { GatewayWord, ParentWord } from './words.ts';

export interface GatewayProcess {
  readonly pid: number;
  /** Its ports by name; rejects when it can't start. */
  readonly ready: Promise<Record<string, number>>;
  /** Resolves with what ended it: an exit code or a signal. */
  readonly ended: Promise<string>;
  /** By its last word. */
  readonly connections: number;
  /** Whether it has said something since this was asked last. */
  hasSpoken(): boolean;
  setMaxConnections(count: number): void;
  /** SIGTERM, and SIGKILL when that takes too long. */
  stop(): Promise<void>;
  kill(): void;
}

export interface GatewayProcessSpec extends Place {
  /** Path of main.ts. */
  entry: string;
  env: NodeJS.ProcessEnv;
  stopTimeoutMs: number;
}

/** Far above the second it takes on a slow machine. */
const READY_TIMEOUT_MS = 30_000;

export function forkGateway(spec: GatewayProcessSpec): GatewayProcess {
  // Log lines go where ours go, without a copy through this process.
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
  const child = fork(spec.entry, [placeArgument(spec)], { env: spec.env, stdio: [...stdio] });
  let connections = 0;
  let spoken = true;
  let maxConnections: number | null = null;

  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once('error', (error) => resolve(error.message));
  });
  const ready = new Promise<Record<string, number>>((resolve, reject) => {
    const late = () => reject(new Error(`it was not ready after ${READY_TIMEOUT_MS / 1_000} s`));
    setTimeout(late, READY_TIMEOUT_MS).unref();
    child.on('message', (word: GatewayWord) => {
      spoken = true;
      if ('connections' in word) connections = word.connections;
      else if ('ready' in word) resolve(word.ready);
      else reject(new Error(word.failed));
    });
    void ended.then((how) => reject(new Error(`it ended before it was ready (${how})`)));
  });
  // One that hangs does not see its parent die, and would keep its share of the port for ever.
  if (child.pid !== undefined) void ended.then(killWithParent(child.pid, spec.stopTimeoutMs / 1_000).release);
  // Whoever waits may be waiting for another process first: not an unhandled rejection.
  ready.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    ready,
    ended,
    get connections() {
      return connections;
    },
    hasSpoken() {
      const answer = spoken;
      spoken = false;
      return answer;
    },
    setMaxConnections(count) {
      if (count === maxConnections || !child.connected) return;
      maxConnections = count;
      const word: ParentWord = { maxConnections };
      // An error means that it is ending, which `ended` tells.
      child.send(word, () => undefined);
    },
    kill: () => void child.kill('SIGKILL'),
    async stop() {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), spec.stopTimeoutMs);
      await ended;
      clearTimeout(force);
    },
  };
}
