/** One service as a child process: forked, ready by its own word, stopped in order. */

import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { serviceArguments } from '@natter/runtime/node-arguments';
import { StartError } from './start-error.ts';

export interface ServiceSpec {
  name: string;
  /** Path of its main.ts. */
  entry: string;
  env: NodeJS.ProcessEnv;
  /** Each line it writes. */
  line: (text: string) => void;
  /** How long SIGTERM may take before SIGKILL. */
  stopTimeoutMs: number;
}

export interface Child {
  /** Its ports by name, once it is ready; rejects with StartError when it can't start. */
  ready: Promise<Record<string, number>>;
  /** Resolves with what ended it: an exit code or a signal. */
  ended: Promise<string>;
  stop(): Promise<void>;
  kill(): void;
}

type Word = { ready: Record<string, number> } | { failed: string };

/** Far above the 1 to 2 s a service needs on a slow machine; a hung one must not hang the start. */
const READY_TIMEOUT_MS = 30_000;

export function forkService(spec: ServiceSpec): Child {
  const child = fork(spec.entry, [], {
    env: spec.env,
    execArgv: serviceArguments(spec.entry),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr])
    if (stream) createInterface({ input: stream }).on('line', spec.line);

  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once('error', (error) => resolve(error.message));
  });
  const ready = new Promise<Record<string, number>>((resolve, reject) => {
    setTimeout(
      () => reject(new StartError(`The ${spec.name} is not ready after ${READY_TIMEOUT_MS / 1_000} s.`)),
      READY_TIMEOUT_MS,
    ).unref();
    child.on('message', (word: Word) => {
      if ('ready' in word) resolve(word.ready);
      else reject(new StartError(`The ${spec.name} could not start: ${word.failed}`));
    });
    void ended.then((how) => reject(new StartError(`The ${spec.name} ended before it was ready (${how}).`)));
  });
  // Whoever waits may be waiting for another service first: not an unhandled rejection.
  ready.catch(() => undefined);
  return {
    ready,
    ended,
    kill: () => void child.kill('SIGKILL'),
    stop: async () => {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), spec.stopTimeoutMs);
      await ended;
      clearTimeout(force);
    },
  };
}
