/** A nats-server with JetStream as a child of this process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readOrCreateServiceKeys } from '../bus/service-keys.ts';
import { brokerConfig } from './config.ts';
import { killWithParent } from './kill-with-parent.ts';
import { authorizationConfig } from './service-users.ts';

export interface BrokerOptions {
  /** The nats-server program; see `findBroker`. */
  binary: string;
  port: number;
  /** Its configuration and streams go here; made when missing. */
  dataDir: string;
  /** More configuration, in nats-server's syntax. */
  extra?: string;
  /** Only the services may sign in, each with a key of its own. Default: anybody on this machine may. */
  signIn?: boolean;
  /** Called with each line of its log. */
  line?: (text: string) => void;
}

export interface Broker {
  pid: number;
  url: string;
  /** Resolves when the process has ended, whatever ended it. */
  ended: Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM; SIGKILL when it takes longer than 5 s. */
  stop(): Promise<void>;
}

/** Recovering large streams takes time, but a broker that is silent for this long is stuck. */
const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;

export class BrokerError extends Error {
  readonly code = 'BROKER';
}

/** Starts it and waits for its own word that it is ready; throws BrokerError with its last words. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  await mkdir(options.dataDir, { recursive: true });
  const file = join(options.dataDir, 'nats.conf');
  const storeDir = join(options.dataDir, 'jetstream');
  const users = options.signIn ? authorizationConfig(await readOrCreateServiceKeys(options.dataDir)) : '';
  await writeFile(file, brokerConfig({ ...options, storeDir, extra: `${users}${options.extra ?? ''}` }));
  const child = spawn(options.binary, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  await ready(child, ended, options.line);
  const guard = killWithParent(child.pid as number);
  void ended.then(() => guard.release());
  return {
    pid: child.pid as number,
    url: `nats://127.0.0.1:${options.port}`,
    ended,
    signal: (name) => void child.kill(name),
    stop: async () => {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(force);
    },
  };
}

async function ready(child: ChildProcess, ended: Promise<void>, line = (_text: string) => {}): Promise<void> {
  const last: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let spawnError: Error | undefined;
  child.once('error', (error) => {
    spawnError = error;
  });
  const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream });
  const isReady = new Promise<true>((resolve) => {
    lines.on('line', (text) => {
      last.push(text);
      if (last.length > 20) last.shift();
      line(text);
      if (text.includes('Server is ready')) resolve(true);
    });
  });
  const gaveUp = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), READY_TIMEOUT_MS);
  });
  const ok = await Promise.race([isReady, gaveUp, ended.then(() => false)]);
  clearTimeout(timer);
  if (ok) return;
  if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL'))
    await once(child, 'exit');
  const fatal = last.findLast((text) => /\[FTL\]|\[ERR\]|nats-server:/.test(text)) ?? last.at(-1);
  throw new BrokerError(`nats-server did not start: ${spawnError?.message ?? fatal ?? 'it said nothing'}`);
}
