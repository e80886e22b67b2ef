/** Runs a program that is not of Node, such as nginx or redis-server, until the figure ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { killWithParent } from '@natter/runtime';
import type { Bench } from '../bench.ts';

export interface ProgramOptions {
  name: string;
  file: string;
  args: readonly string[];
  env?: Record<string, string>;
  /** It is ready when something listens here. */
  port: number;
  /** As of `CORE`. */
  core: number | 'any';
}

const READY_MS = 20_000;
const LOOK_EVERY_MS = 20;
const STOP_MS = 5_000;
/** Of its standard error, for the report of a failure. */
const LAST_WORDS_CHARS = 4_000;

/** Resolves with its process id when it listens; rejects with its last words. */
export async function startProgram(bench: Bench, options: ProgramOptions): Promise<number> {
  const { name, file, args, env, port, core } = options;
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } });
  let words = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => {
    words = (words + text).slice(-LAST_WORDS_CHARS);
  });
  child.on('error', (error) => {
    words += error.message;
  });
  bench.defer(() => stop(child));
  const deadline = performance.now() + READY_MS;
  while (!(await listens(port))) {
    const ended = child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
    if (ended || performance.now() > deadline) throw new Error(`${name} did not start: ${words.trim()}`);
    await sleep(LOOK_EVERY_MS);
  }
  const pid = child.pid as number;
  bench.defer(killWithParent(pid).release);
  bench.cores.pin(pid, core);
  return pid;
}

/** SIGTERM, so that it ends its own children; SIGKILL when that takes longer than 5 s. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(force);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
