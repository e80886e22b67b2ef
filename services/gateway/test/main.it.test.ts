import { resolve } from 'node:path';
import { gatewayProcesses, isAlive, type NatsServer, ServiceProcess, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

const MAIN = resolve(import.meta.dirname, '../src/main.ts');
/** However busy the machine is. */
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 30_000 });

let nats: NatsServer;
beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.stop());

async function gateway(env: Record<string, string>): Promise<ServiceProcess> {
  const { PATH = '' } = process.env;
  const base = { PATH, NATTER_ENV: 'development', NATS_URL: nats.url, PORT: '0' };
  const started = await ServiceProcess.start({ name: 'gateway', entry: MAIN, env: { ...base, ...env } });
  onTestFinished(() => started.kill());
  return started;
}

test('SIGUSR2 ends no gateway of one process: it says that there is nothing to replace', async () => {
  const alone = await gateway({ GATEWAY_PROCESSES: '1' });
  process.kill(alone.pid, 'SIGUSR2');
  await alone.line(/SIGUSR2 replaces the processes of a gateway that has several/);
  expect(await alone.stop()).toEqual({ code: 0, signal: null });
});

test.runIf(process.platform === 'linux')(
  'a process that hangs ends after its parent was killed, and the port is free again',
  async () => {
    const env = { GATEWAY_PROCESSES: '2', NATTER_SHUTDOWN_TIMEOUT_MS: '1000' };
    const parent = await gateway(env);
    const { http = 0 } = parent.ports;
    const pids = gatewayProcesses(parent).map(({ pid }) => pid);
    const [hangs = 0] = pids;
    onTestFinished(() => {
      if (isAlive(hangs)) process.kill(hangs, 'SIGKILL');
    });
    process.kill(hangs, 'SIGSTOP');
    await parent.kill();
    await soon(() => pids.filter(isAlive)).toEqual([]);
    await gateway({ ...env, PORT: String(http) });
  },
);
