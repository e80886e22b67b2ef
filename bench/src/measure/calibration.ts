/** How fast this machine is just now: the same small work before and after a run. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

export interface Calibration {
  /** SHA-256 of one core, in MB (10^6 bytes) for each second of CPU. */
  hashMbPerSecond: number;
  /** A byte to a TCP socket of the same process and back, CPU of both ends, in µs. */
  echoMicros: number;
}

const HASHED_BYTES = 128 * 1024 * 1024;
const ECHOES = 3_000;
/** Before them, until the code is optimised: or the machine would seem to get twice as fast during each run. */
const WARM_UP_ECHOES = 12_000;
/** Beyond this the machine was another one at the end than at the beginning. */
const DRIFT = 0.15;

export async function calibrate(): Promise<Calibration> {
  return { hashMbPerSecond: hashSpeed(), echoMicros: await echoCost() };
}

/** One sentence when the two differ by more than noise does; else null. */
export function drift(before: Calibration, after: Calibration): string | null {
  const hash = after.hashMbPerSecond / before.hashMbPerSecond;
  const echo = after.echoMicros / before.echoMicros;
  const [worst, what] =
    Math.abs(hash - 1) > Math.abs(echo - 1) ? [hash, 'hashing'] : [echo, 'an echo over TCP'];
  if (Math.abs(worst - 1) <= DRIFT) return null;
  return `the machine changed meanwhile: ${what} came to ${Math.round(worst * 100)}% of what it was`;
}

function hashSpeed(): number {
  const block = Buffer.alloc(1024 * 1024, 7);
  const hash = createHash('sha256');
  const before = process.cpuUsage();
  for (let done = 0; done < HASHED_BYTES; done += block.length) hash.update(block);
  hash.digest();
  return HASHED_BYTES / cpuMicros(before);
}

/** One at a time: each is a wake-up, which is what a quiet server pays. */
async function echoCost(): Promise<number> {
  const server = createServer((socket) => socket.setNoDelay(true).pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  await echo(socket, WARM_UP_ECHOES);
  const before = process.cpuUsage();
  await echo(socket, ECHOES);
  const micros = cpuMicros(before) / ECHOES;
  socket.destroy();
  server.close();
  await once(server, 'close');
  return micros;
}

function echo(socket: Socket, times: number): Promise<void> {
  const byte = Buffer.from('x');
  return new Promise((resolve, reject) => {
    let left = times;
    const next = () => {
      left -= 1;
      if (left >= 0) return void socket.write(byte);
      socket.off('data', next).off('error', reject);
      resolve();
    };
    socket.on('data', next).on('error', reject);
    next();
  });
}

function cpuMicros(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
