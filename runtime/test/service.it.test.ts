import { resolve } from 'node:path';
import { STREAMS, SUBJECTS } from '@natter/proto';
import { type NatsServer, ServiceProcess, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Bus } from '../src/index.ts';
import { connected } from './bus/connected.ts';

const soon = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 20_000 });

let nats: NatsServer;
beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.stop());

const { PATH = '' } = process.env;

function start(env: Record<string, string> = {}): Promise<ServiceProcess> {
  const entry = resolve(import.meta.dirname, 'logs/tiny-service.ts');
  return ServiceProcess.start({ name: 'tiny', entry, env: { PATH, NATS_URL: nats.url, ...env } });
}

async function shipped(bus: Bus): Promise<string[]> {
  const stored = await bus.stored.from(STREAMS.logs, SUBJECTS.allLogLines, 1, 1_000);
  return stored.map(({ subject, data }) => `${subject} ${JSON.parse(Buffer.from(data).toString()).msg}`);
}

test('[logs/broadcast-runtime] [logs/broadcast-internal] a service ships its lines from the first to the last, also where standard output is silent', async () => {
  const bus = await connected(nats);
  const service = await start({ LOG_LEVEL: 'silent' });
  await soon(async () => expect(await shipped(bus)).toEqual(['log.agent.info.general ready']));
  process.kill(service.pid, 'SIGUSR2');
  await soon(async () => expect(await shipped(bus)).toContain('log.agent.info.jobs for all'));
  await service.stop();
  expect(await shipped(bus)).toEqual([
    'log.agent.info.general ready',
    'log.agent.info.jobs for all',
    'log.agent.info.general stopping',
  ]);
  expect(service.lastWords()).not.toContain('ready');
});

test('a service that could not start says why on standard output only', async () => {
  const bus = await connected(nats);
  const before = await shipped(bus);
  await expect(start({ TINY_FAILS: 'yes' })).rejects.toThrow(/no start/);
  expect(await shipped(bus)).toEqual(before);
});
