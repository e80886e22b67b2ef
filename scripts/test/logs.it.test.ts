import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { NODE_ARGUMENTS } from '@natter/runtime/node-arguments';
import { expect, onTestFinished, test, vi } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const TIME = '2026-01-02T03:04:05.678Z';
const LINE = `id: 1\ndata: ${JSON.stringify({ log: 'said', level: 'error', service: 'agent', time: TIME })}\n\n`;

const soon = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 20 });

/** Answers every request for logs with `status`, and with a line where that is 200. */
async function gateway(status = 200) {
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    headers.push(request.headers);
    response.writeHead(status, { 'content-type': status === 200 ? 'text/event-stream' : 'application/json' });
    if (status === 200) response.write(LINE);
    else response.end('{"error":"Invalid token","code":"INVALID_TOKEN"}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { headers, port: String((server.address() as AddressInfo).port) };
}

interface Run {
  child: ChildProcess;
  out(): string;
  err(): string;
  /** Exit code. */
  ended: Promise<number | null>;
}

function logs(args: string[], env: Record<string, string>): Run {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [...NODE_ARGUMENTS, 'scripts/logs.ts', ...args], {
    cwd: ROOT,
    // Empty is unset: a developer's .env changes nothing here.
    env: { PATH, HOME, NATTER_ROOT: ROOT, NATTER_API_KEY: '', LOGS_API_KEY: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { out: '', err: '' };
  child.stdout?.on('data', (bytes) => {
    text.out += bytes;
  });
  child.stderr?.on('data', (bytes) => {
    text.err += bytes;
  });
  const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, out: () => text.out, err: () => text.err, ended };
}

test('it prints lines of the gateway at PORT with the key of NATTER_API_KEY, and Ctrl-C ends it', async () => {
  const { port, headers } = await gateway();
  const run = logs([], { PORT: port, NATTER_API_KEY: 'nk_one', LOGS_API_KEY: 'the-key-of-the-service' });
  await soon(() => expect(run.out()).toContain('agent    ERROR  said'));
  expect(headers[0]?.authorization).toBe('Bearer nk_one');
  run.child.kill('SIGINT');
  expect(await run.ended).toBe(0);
  expect(run.err()).toBe('');
  expect(run.out()).toBe('03:04:05 agent    ERROR  said\n');
});

test('it prints its usage and asks no gateway where somebody wants help', async () => {
  const { port, headers } = await gateway();
  const run = logs(['--level', 'loud', '--help'], { PORT: port });
  expect(await run.ended).toBe(0);
  expect([run.err(), headers]).toEqual(['', []]);
  expect(run.out()).toMatch(/^usage: npm run -s logs/);
});

test('without a key it signs a token of an admin with the keys of this machine', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'natter-logs-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const { port, headers } = await gateway();
  const run = logs(['--json'], { PORT: port, NATTER_DATA_DIR: dataDir });
  await soon(() => expect(run.out()).toContain('"log":"said"'));
  const [, claims = ''] = headers[0]?.authorization?.split('.') ?? [];
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
    sub: 'npm-run-logs',
    roles: ['admin'],
  });
  run.child.kill('SIGTERM');
  expect(await run.ended).toBe(0);
});

test('it ends without a word when nobody reads any more', async () => {
  const { port } = await gateway();
  const run = logs(['--key', 'nk_one'], { PORT: port });
  run.child.stdout?.destroy();
  expect(await run.ended).toBe(0);
  expect(run.err()).toBe('');
});

test('a key that is refused ends it with one line, without the key', async () => {
  const { port } = await gateway(401);
  const run = logs(['--key', 'nk_secret', '--url', `http://127.0.0.1:${port}`], {});
  expect(await run.ended).toBe(1);
  expect(run.err()).toBe(`logs: http://127.0.0.1:${port} refused the key (401: Invalid token)\n`);
});

test('an admin’s token is not shown to a gateway elsewhere', async () => {
  const run = logs(['--url', 'http://logs.example'], {});
  expect(await run.ended).toBe(1);
  expect(run.err()).toMatch(/^logs: a gateway on another machine needs a key/);
});

test('bad arguments are explained', async () => {
  const run = logs(['--level', 'loud'], {});
  expect(await run.ended).toBe(1);
  expect(run.err()).toMatch(/^--level must be one of .*\n\nusage: npm run -s logs/);
});
