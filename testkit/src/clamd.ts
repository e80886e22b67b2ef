/** A real clamd for one test, with a database of its own; Debian: `apt-get install clamav-daemon`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, killWithParent } from '@natter/runtime';
import { eicar } from './eicar.ts';
import { findClamd } from './requirements.ts';

export interface ClamdOptions {
  /** Lines of clamd.conf(5) behind ours; a limit set here replaces ours. */
  configExtra?: string;
}

export interface Clamd {
  /** Always on 127.0.0.1; the same after a restart. */
  readonly port: number;
  /** `host:port`, as the uploads service takes it. */
  readonly address: string;
  readonly pid: number;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGKILL, and the end of its folder: it keeps nothing that could be lost. */
  stop(): Promise<void>;
  /** Starts it again; kills it first if it still runs. */
  restart(): Promise<void>;
  /** SIGSTOP: connections are accepted by the kernel and nobody answers. */
  pause(): void;
  resume(): void;
}

/** Loading one signature takes less than a second; a machine with other things to do takes longer. */
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
const MAX_LAST_WORDS = 4_096;

/** Ready when it answers PING. It knows EICAR, anywhere in a file, and nothing else. */
export async function startClamd(options: ClamdOptions = {}): Promise<Clamd> {
  const found = findClamd();
  if (found === null) throw new Error('clamd is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'natter-clamd-'));
  // A copy: Debian's AppArmor profile forbids /usr/sbin/clamd all folders but its own.
  const binary = join(folder, 'clamd');
  copyFileSync(found, binary);
  const port = await freePort();
  writeFileSync(join(folder, 'clamd.conf'), config(folder, port, options.configExtra ?? ''));
  const database = join(folder, 'database');
  mkdirSync(database);
  // Name, any kind of file, any offset, the bytes (ClamAV, "Extended signature format").
  const signature = Buffer.from(eicar()).toString('hex');
  writeFileSync(join(database, 'natter.ndb'), `Natter.Eicar:0:*:${signature}\n`);

  const start = () => run(binary, join(folder, 'clamd.conf'), port);
  let daemon = await start();
  return {
    port,
    address: `127.0.0.1:${port}`,
    get pid() {
      return daemon.child.pid as number;
    },
    kill: () => daemon.kill(),
    async stop() {
      await daemon.kill();
      rmSync(folder, { recursive: true, force: true });
    },
    async restart() {
      await daemon.kill();
      daemon = await start();
    },
    pause: () => void daemon.child.kill('SIGSTOP'),
    resume: () => void daemon.child.kill('SIGCONT'),
  };
}

/** The first of two lines that set the same limit counts, so ours come last. */
function config(folder: string, port: number, extra: string): string {
  return [
    extra,
    `DatabaseDirectory ${join(folder, 'database')}`,
    `TemporaryDirectory ${folder}`,
    'TCPAddr 127.0.0.1',
    `TCPSocket ${port}`,
    'StreamMaxLength 60M',
    'MaxFileSize 60M',
    'MaxScanSize 200M',
    // Without it a file over the limits counts as clean.
    'AlertExceedsMax yes',
    'MaxThreads 4',
    '',
  ].join('\n');
}

async function run(binary: string, file: string, port: number) {
  const child = spawn(binary, ['--foreground', '--config-file', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const guard = killWithParent(child.pid as number);
  const ended = once(child, 'exit').then(() => guard.release());
  let words = '';
  for (const output of [child.stdout, child.stderr])
    output.on('data', (text) => {
      words = `${words}${text}`.slice(-MAX_LAST_WORDS);
    });
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  if (!(await answers(child, port))) {
    await kill();
    throw new Error(`clamd did not start: ${words}`);
  }
  return { child, kill };
}

/** Asks until it answers, has ended, or has had its time. */
async function answers(child: ChildProcess, port: number): Promise<boolean> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (child.exitCode === null && child.signalCode === null && performance.now() < deadline) {
    if (await pong(port)) return true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
}

function pong(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.setTimeout(1_000, () => socket.destroy());
  socket.on('connect', () => socket.write('zPING\0'));
  return new Promise((resolve) => {
    socket.on('data', (bytes) => {
      resolve(bytes.toString('latin1').startsWith('PONG'));
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}
