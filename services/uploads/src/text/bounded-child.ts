/**
 * Runs one parser over one file, in a process of its own with hard limits.
 *
 * Not in a worker thread: `resourceLimits` bound its JavaScript heap only, while a PDF of 17 KB makes the
 * library allocate gigabytes of ArrayBuffers, outside of that heap. And where an allocation fails, V8 ends
 * the whole process. So the process is another one, and the kernel counts what it allocates.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NODE_ARGUMENTS } from '@natter/runtime/node-arguments';
import { TextError } from './text-error.ts';

export interface ChildLimits {
  /** From the last byte of the file to the end, and for each part to be taken. */
  timeoutMs: number;
  /** Memory that can be written to, inside and outside of the JavaScript heap. */
  memoryMiB: number;
  /** Most characters of output. */
  chars: number;
}

/** Of the heap; the rest is for the file, for what is inflated of it, and for Node itself. */
const HEAP_SHARE = 0.375;
/** CPU time per second of the time limit: the process ends by itself should its parent have been killed. */
const CPU_SHARE = 3;
const MAX_BYTES_PER_CHAR = 3;
const MAX_LAST_WORDS = 200;

const MAIN = fileURLToPath(new URL('./child/main.ts', import.meta.url));
/** All it needs to read: programs and packages. Not the whole repository, where keys may be. */
const PROGRAMS = ['services/uploads/', 'runtime/', 'node_modules/', 'package.json'].map((path) =>
  fileURLToPath(new URL(`../../../../${path}`, import.meta.url)),
);

/** RLIMIT_DATA counts every private writable page, whoever allocates it (Linux 4.7, setrlimit(2)). */
const WITH_LIMITS = 'ulimit -c 0 && ulimit -t "$1" && ulimit -d "$2" && shift 2 && exec "$@"';

/** What the child wrote. Throws TextError; what reading the file throws is thrown as it is. */
export async function runBounded(
  kind: 'pdf' | 'docx',
  file: AsyncIterable<Uint8Array>,
  limits: ChildLimits,
  signal: AbortSignal,
): Promise<string> {
  return runWithLimits([MAIN, kind, String(limits.chars)], file, limits, signal);
}

/** `program` is a file of ours and its arguments; it may read our files, write none and start nothing. */
export async function runWithLimits(
  program: string[],
  file: AsyncIterable<Uint8Array>,
  { timeoutMs, memoryMiB, chars }: ChildLimits,
  signal: AbortSignal,
): Promise<string> {
  const node = [
    process.execPath,
    `--max-old-space-size=${Math.floor(memoryMiB * HEAP_SHARE)}`,
    '--permission',
    ...PROGRAMS.map((path) => `--allow-fs-read=${path}`),
    ...NODE_ARGUMENTS,
    ...program,
  ];
  const seconds = Math.ceil((timeoutMs / 1_000) * CPU_SHARE);
  const child = spawn('/bin/sh', ['-c', WITH_LIMITS, 'sh', `${seconds}`, `${memoryMiB * 1_024}`, ...node], {
    // Nothing of ours: no keys, no addresses.
    env: {},
    cwd: '/',
    stdio: 'pipe',
  });
  let failure: Error | null = null;
  const fail = (error: Error) => {
    failure ??= error;
    child.kill('SIGKILL');
  };
  const timer = setTimeout(
    () => fail(new TextError('TEXT_TIMEOUT', `longer than ${timeoutMs} ms`)),
    timeoutMs,
  );
  const giveUp = () => fail(new TextError('TEXT_CLOSED', 'the service stops'));
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();

  const ended = new Promise<{ code: number | null; by: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('close', (code, by) => resolve({ code, by }));
    child.once('error', reject);
  });
  // Looked at where it is awaited; until then it must not count as unhandled.
  ended.catch(() => undefined);
  const output: Uint8Array[] = [];
  let outputBytes = 0;
  child.stdout.on('data', (bytes: Uint8Array) => {
    outputBytes += bytes.length;
    if (outputBytes > chars * MAX_BYTES_PER_CHAR) fail(new TextError('TEXT_TOO_MUCH', 'too much output'));
    else output.push(bytes);
  });
  let words = '';
  child.stderr.on('data', (bytes: Uint8Array) => {
    words = `${words}${Buffer.from(bytes)}`.slice(0, MAX_LAST_WORDS);
  });
  // A child that has ended reads no more; its end says why.
  child.stdin.on('error', () => undefined);

  try {
    // Not awaited: whatever is read from may never answer, and the time limit ends the child anyway.
    void feed(file, child.stdin, () => timer.refresh()).catch(fail);
    const { code, by } = await ended;
    if (failure !== null) throw failure;
    if (by !== null) throw new TextError('TEXT_TOO_MUCH', `ended by ${by}`);
    if (code !== 0) throw new TextError('TEXT_UNREADABLE', words.trim() || `ended with ${code}`);
    return Buffer.concat(output).toString();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

/** Each part waits until it is taken: the file is never here as a whole. */
async function feed(
  file: AsyncIterable<Uint8Array>,
  input: NodeJS.WritableStream & { destroyed?: boolean },
  taken: () => void,
): Promise<void> {
  for await (const part of file) {
    const lost = await new Promise<boolean>((resolve) => {
      input.write(part, (error) => resolve(error != null));
    });
    if (lost) return;
    taken();
  }
  input.end();
}
