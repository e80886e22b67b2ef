/** `npm run logs` as people run it: a process that follows a whole stack, in a terminal and without. */
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { askHttp, LOGS_WAIT, readersAre } from '../src/log-reading.ts';
import { reportFailures } from '../src/report-failures.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const KEY = 'the-logs-key-of-the-environment';
const RED = '\u001b[31m';

let stack: Stack;
beforeAll(async () => {
  const env = { LOGS_API_KEY: KEY, NATTER_SHIPPED_LOG_LEVEL: 'silent' };
  stack = await startStack({ gateways: 2, env });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const running: Run[] = [];
afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(running.splice(0).map(({ ended }) => ended));
  await readersAre(stack, 0);
});

interface Run {
  child: ChildProcess;
  /** Whole lines of standard output, without the time before each. */
  lines(): string[];
  out(): string;
  err(): string;
  /** Exit code. */
  ended: Promise<number | null>;
}

interface RunOptions {
  /** With a terminal of its own, as somebody sees it. */
  terminal?: boolean;
  env?: Record<string, string>;
}

/** Runs it against the first gateway. */
function logs(args: string[], { terminal = false, env = {} }: RunOptions = {}): Run {
  const { PATH = '', HOME = '' } = process.env;
  const words = [process.execPath, 'scripts/run.mjs', 'scripts/logs.ts', '--tail', '0', ...args];
  const line = words.map((word) => `'${word}'`).join(' ');
  const [program = '', ...rest] = terminal ? ['script', '-qfec', `exec ${line}`, '/dev/null'] : words;
  const child = spawn(program, rest, {
    cwd: ROOT,
    env: {
      ...{ PATH, HOME, TERM: 'xterm', SHELL: '/bin/sh', NATTER_API_KEY: KEY, NATTER_ROOT: ROOT },
      PORT: String(stack.gateways[0]?.ports.http),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { out: '', err: '' };
  child.stdout?.setEncoding('utf8').on('data', (piece) => {
    text.out += piece;
  });
  child.stderr?.setEncoding('utf8').on('data', (piece) => {
    text.err += piece;
  });
  const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
  const run: Run = {
    child,
    lines: () =>
      text.out
        .split(/\r?\n/)
        .slice(0, -1)
        .map((one) => one.replace(/\d\d:\d\d:\d\d /, '')),
    out: () => text.out,
    err: () => text.err,
    ended,
  };
  running.push(run);
  return run;
}

const soon = (check: () => void) => vi.waitFor(check, LOGS_WAIT);

interface Line {
  msg: string;
  level?: string;
  category?: string;
  service?: string;
}

/** One after the other, so that they come in this order. */
async function write(lines: Line[], gateway = 1): Promise<void> {
  for (const body of lines) {
    const sent = await askHttp(stack, 'POST', '/api/logs', { key: KEY, body, gateway });
    expect(sent).toEqual({ status: 200, body: { accepted: 1, refused: [] } });
  }
}

describe('npm run logs', () => {
  it('[logs/cli] follows the lines that its filters let through, as text and as JSON', async () => {
    const filters = ['--service', 'shop', '--level', 'warn', '--category', 'orders'];
    const all = logs([]);
    const some = logs(filters);
    const json = logs([...filters, '--json']);
    await readersAre(stack, 3);
    const kinds = { service: 'shop', category: 'orders' };
    await write([
      { ...kinds, level: 'warn', msg: 'one left' },
      { ...kinds, level: 'info', msg: 'ordinary' },
      { ...kinds, level: 'error', msg: 'other category', category: 'stock' },
      { ...kinds, level: 'error', msg: 'other service', service: 'till' },
      { ...kinds, level: 'fatal', msg: 'none left' },
    ]);
    const wanted = [
      'shop     WARN   one left  category=orders',
      'shop     FATAL  none left  category=orders',
    ];
    await soon(() => expect(some.lines()).toEqual(wanted));
    await soon(() => expect(all.lines()).toHaveLength(5));
    await soon(() => expect(json.lines()).toHaveLength(2));
    expect(json.lines().map((line) => JSON.parse(line))).toMatchObject([
      { ...kinds, log: 'one left', level: 'warn' },
      { ...kinds, log: 'none left', level: 'fatal' },
    ]);
    for (const run of [all, some, json]) {
      run.child.kill('SIGINT');
      expect(await run.ended).toBe(0);
      expect(run.err()).toBe('');
      expect(run.out()).not.toContain(KEY);
    }
  });

  it('[logs/cli-colour] colours lines in a terminal, and not where they go into a file or nobody wants it', async () => {
    const terminal = logs([], { terminal: true });
    const asked = logs([], { terminal: true, env: { NO_COLOR: '1' } });
    const dumb = logs([], { terminal: true, env: { TERM: 'dumb' } });
    const piped = logs([]);
    await readersAre(stack, 4);
    await write([{ service: 'shop', level: 'error', msg: 'burning' }]);
    for (const run of [terminal, asked, dumb, piped])
      await soon(() => expect(run.out()).toMatch(/ERROR {2}burning.*\s+$/));
    expect(terminal.out()).toContain(RED);
    expect(terminal.out().match(/logs: following http/g)).toHaveLength(1);
    for (const run of [asked, dumb, piped]) expect(run.out()).not.toContain('\u001b');
  });

  it('[logs/cli-reconnects] comes back after its gateway was restarted, and goes on behind its last line', async () => {
    const run = logs(['--service', 'shop']);
    await readersAre(stack, 1);
    const say = (msg: string) => write([{ service: 'shop', msg }]);
    await say('before');
    await soon(() => expect(run.lines()).toHaveLength(1));
    await stack.gateways[0]?.stop();
    await soon(() => expect(run.err()).toMatch(/^logs: disconnected from .*; trying again\n$/));
    const meanwhile = Array.from({ length: 20 }, (_, n) => `meanwhile ${n}`);
    for (const msg of meanwhile) await say(msg);
    await stack.gateways[0]?.restart();
    await soon(() => expect(run.err()).toMatch(/\nlogs: connected to .* again\n$/));
    await say('after');
    const texts = ['before', ...meanwhile, 'after'].map((msg) => `shop     info   ${msg}`);
    await soon(() => expect(run.lines()).toHaveLength(texts.length));
    expect(run.lines()).toEqual(texts);
  });
});
