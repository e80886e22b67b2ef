import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '@natter/runtime';
import { connect, startNatsServer } from '@natter/testkit';
import { expect, onTestFinished, test, vi } from 'vitest';
import { allGone, descendants, type Natter, startNatter } from './natter-process.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Starts one on a free port and a data directory of its own; ends it after the test. */
async function start(
  env: Record<string, string> = {},
): Promise<{ natter: Natter; port: number; dataDir: string }> {
  const dataDir = env.NATTER_DATA_DIR ?? mkdtempSync(join(tmpdir(), 'natter-start-'));
  const port = Number(env.PORT ?? (await freePort()));
  const natter = startNatter({ PORT: String(port), NATTER_DATA_DIR: dataDir, ...env });
  onTestFinished(async () => {
    const processes = descendants(natter.pid);
    natter.signal('SIGTERM');
    await natter.exit;
    await allGone(processes);
    rmSync(dataDir, { recursive: true, force: true });
  });
  return { natter, port, dataDir };
}

function token(dataDir: string): string {
  return execFileSync(
    process.execPath,
    ['scripts/run.mjs', 'services/auth/src/cli/token.ts', '--sub', 'alice'],
    {
      cwd: ROOT,
      env: { ...process.env, NATTER_DATA_DIR: dataDir },
      encoding: 'utf8',
    },
  ).trim();
}

async function isSignedIn(port: number, accessToken: string): Promise<boolean> {
  const probe = await connect(`ws://127.0.0.1:${port}/ws/chat?token=${accessToken}`);
  const frame = await probe.next();
  await probe.close();
  return frame.type === 'auth_success';
}

function find(natter: Natter, part: string) {
  const found = descendants(natter.pid).find(({ command }) => command.includes(part));
  if (!found) throw new Error(`no process of ${part}`);
  return found;
}

test('a start says so in one line, its page and token work, and SIGTERM leaves nothing running', async () => {
  const { natter, port, dataDir } = await start();
  await natter.ready;
  expect(natter.stdout().split('\n')[0]).toBe(`Natter is ready on http://localhost:${port}`);
  expect(natter.stderr()).toBe('');
  expect((await fetch(`http://127.0.0.1:${port}/ws/test`)).status).toBe(200);
  expect(await isSignedIn(port, token(dataDir))).toBe(true);

  const processes = descendants(natter.pid);
  for (const part of ['nats-server', 'demo-model', 'auth', 'uploads', 'agent', 'gateway']) find(natter, part);
  natter.signal('SIGTERM');
  expect(await natter.exit).toBe(0);
  await allGone(processes);
});

test('a second start finds the keys of the first, so an old token still works', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'natter-start-'));
  const first = await start({ NATTER_DATA_DIR: dataDir });
  await first.natter.ready;
  const accessToken = token(dataDir);
  first.natter.signal('SIGINT');
  expect(await first.natter.exit).toBe(0);
  const second = await start({ NATTER_DATA_DIR: dataDir });
  await second.natter.ready;
  expect(await isSignedIn(second.port, accessToken)).toBe(true);
});

test.each([
  ['start.ts', (natter: Natter) => find(natter, 'scripts/start.ts').pid],
  ['run.mjs', (natter: Natter) => natter.pid],
])('nothing is left running when %s is killed by SIGKILL', async (_name, pidOf) => {
  const { natter } = await start();
  await natter.ready;
  const processes = descendants(natter.pid);
  process.kill(pidOf(natter), 'SIGKILL');
  await allGone(processes);
});

test('a service and a broker that are killed are started again', async () => {
  const { natter, port, dataDir } = await start();
  await natter.ready;
  const accessToken = token(dataDir);
  for (const part of ['nats-server', 'services/auth', 'services/gateway']) {
    const { pid } = find(natter, part);
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(find(natter, part).pid).not.toBe(pid), { timeout: 10_000 });
  }
  const signedIn = () => isSignedIn(port, accessToken);
  await vi.waitFor(async () => expect(await signedIn()).toBe(true), { timeout: 20_000, interval: 200 });
  expect(natter.stderr()).toMatch(/The gateway ended \(SIGKILL\); it is started again/);
});

test('a second start on the same data directory is refused in one sentence', async () => {
  const { natter, dataDir } = await start();
  await natter.ready;
  const second = startNatter({ PORT: String(await freePort()), NATTER_DATA_DIR: dataDir });
  expect(await second.exit).toBe(1);
  expect(second.stderr()).toBe(
    `Natter already runs on ${dataDir}; stop it, or set NATTER_DATA_DIR to another folder.\n`,
  );
});

test('a broker of somebody else is used, and none is started', async () => {
  const server = await startNatsServer();
  onTestFinished(() => server.stop());
  const { natter, port, dataDir } = await start({ NATS_URL: server.url });
  await natter.ready;
  expect(descendants(natter.pid).filter(({ command }) => command.includes('nats-server'))).toEqual([]);
  expect(await isSignedIn(port, token(dataDir))).toBe(true);
});

test('a taken port is one clear sentence and exit code 1', async () => {
  const port = await freePort();
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { natter } = await start({ PORT: String(port) });
  expect(await natter.exit).toBe(1);
  expect(natter.stderr()).toBe(`Port ${port} is in use; set PORT to another one.\n`);
  expect(natter.stdout()).toBe('');
});

test('an unreachable broker is one clear sentence and exit code 1', async () => {
  const { natter } = await start({ NATS_URL: 'nats://alice:hunter2@127.0.0.1:1' });
  expect(await natter.exit).toBe(1);
  expect(natter.stderr()).toMatch(/^The broker at nats:\/\/127\.0\.0\.1:1 can't be reached.*NATS_URL.*\n$/);
  expect(natter.stderr()).not.toContain('hunter2');
});

test('bad settings of several services are named together, and nothing is started', async () => {
  const { natter } = await start({ WS_RATE_LIMIT_WINDOW: 'soon', NATTER_JWT_SECRET: 'short' });
  expect(await natter.exit).toBe(1);
  expect(natter.stderr()).toMatch(/^The configuration has mistakes\. .*WS_RATE_LIMIT_WINDOW.*\n$/);
  expect(natter.stderr()).toContain('NATTER_JWT_SECRET');
  expect(natter.stderr()).not.toContain('short');
});
