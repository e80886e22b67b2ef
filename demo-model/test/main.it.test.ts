import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
let child: ChildProcess | null = null;

afterEach(() => {
  child?.kill('SIGKILL');
});

async function run(env: Record<string, string>) {
  child = fork(MAIN, {
    env: { ...process.env, ...env },
    silent: true,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const [message] = (await once(child, 'message')) as [{ ready?: { http: number }; failed?: string }];
  return { child, message, exited };
}

describe('the process', () => {
  it('tells its parent the port and ends on SIGTERM', async () => {
    const { child, message, exited } = await run({ DEMO_MODEL_PORT: '0' });
    const response = await fetch(`http://127.0.0.1:${message.ready?.http}/health`);
    expect(await response.json()).toEqual({ status: 'ok' });
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  });

  it('ends when its parent lets go of it', async () => {
    const { child, exited } = await run({});
    child.disconnect();
    expect(await exited).toBe(0);
  });

  it('says why it cannot start', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { message, exited } = await run({ DEMO_MODEL_PORT: String((taken.address() as AddressInfo).port) });
    taken.close();
    expect(message.failed).toContain('EADDRINUSE');
    expect(await exited).toBe(1);
  });
});
