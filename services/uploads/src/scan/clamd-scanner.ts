/** Scans files with ClamAV's clamd, part by part, without a file on a disk. */
import { connect, type Socket } from 'node:net';
import type { Scanner, ScanStream } from '../ports.ts';
import { Slots } from '../slots.ts';
import type { ClamdAddress } from './clamd-address.ts';
import { ClamdScan, type ClamdTimeouts } from './clamd-scan.ts';

export interface ClamdOptions extends Partial<ClamdTimeouts> {
  address: ClamdAddress;
  /** Default 5,000. */
  connectTimeoutMs?: number;
  /** Scans at once; default 4. clamd has 10 threads (MaxThreads), and others may use it. */
  maxScans?: number;
  /** Files that wait for a scan; default 64. One more is `unknown`, and tried again later. */
  maxWaiting?: number;
}

export interface ClamdScanner extends Scanner {
  /** Null: clamd answers; else why it doesn't. Takes `connectTimeoutMs`, twice at most; never throws. */
  ping(): Promise<string | null>;
}

const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 30_000;
/** Above clamd's own limit for one scan (MaxScanTime, 120 s), so that it can say that it reached it. */
const REPLY_TIMEOUT_MS = 150_000;
const MAX_SCANS = 4;
const MAX_WAITING = 64;

export function createClamdScanner(options: ClamdOptions): ClamdScanner {
  const timeouts: ClamdTimeouts = {
    idleTimeoutMs: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    replyTimeoutMs: options.replyTimeoutMs ?? REPLY_TIMEOUT_MS,
  };
  const connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  const slots = new Slots(options.maxScans ?? MAX_SCANS, options.maxWaiting ?? MAX_WAITING);
  return {
    async begin() {
      if (!(await slots.take())) return failedScan('too many files wait for the scanner');
      const socket = await open(options.address, connectTimeoutMs);
      if (typeof socket !== 'string') return new ClamdScan(socket, timeouts, () => slots.release());
      slots.release();
      return failedScan(socket);
    },
    ping: () => ping(options.address, connectTimeoutMs),
  };
}

/** A scan that could not begin. */
function failedScan(reason: string): ScanStream {
  return { push: async () => {}, end: async () => ({ verdict: 'unknown', reason }), abort: () => {} };
}

/** A connected socket, or why there is none. */
async function open(address: ClamdAddress, timeoutMs: number): Promise<Socket | string> {
  const socket = connect(address);
  const problem = await new Promise<string | null>((resolve) => {
    socket.once('connect', () => resolve(null));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.setTimeout(timeoutMs, () => resolve('the connection was not accepted in time'));
  });
  socket.removeAllListeners('timeout');
  if (problem === null) return socket;
  socket.destroy();
  return `the scanner can't be reached: ${problem}`;
}

async function ping(address: ClamdAddress, timeoutMs: number): Promise<string | null> {
  const socket = await open(address, timeoutMs);
  if (typeof socket === 'string') return socket;
  const answer = new Promise<string | null>((resolve) => {
    let heard = '';
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1');
      if (heard.length < PONG.length) return;
      resolve(
        heard === PONG
          ? null
          : `what listens is no clamd: it answered ${JSON.stringify(heard.slice(0, MAX_HEARD))}`,
      );
    });
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', () => resolve('the scanner closed the connection'));
    socket.setTimeout(timeoutMs, () => resolve('the scanner is silent'));
  });
  socket.write('zPING\0');
  const pong = await answer;
  socket.destroy();
  return pong;
}

const PONG = 'PONG\0';
/** Characters of a wrong answer that go into the log. */
const MAX_HEARD = 40;
