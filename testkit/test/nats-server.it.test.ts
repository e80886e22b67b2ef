import { existsSync } from 'node:fs';
import { Bus, createLogger, isFree } from '@natter/runtime';
import { expect, test } from 'vitest';
import { startNatsServer } from '../src/nats-server.ts';

const log = createLogger('test', 'silent');

test('a killed nats-server comes back on the same port with its data', async () => {
  const server = await startNatsServer();
  const { jsm } = await connect(server.url);
  await jsm.streams.add({ name: 'KEPT', subjects: ['kept'] });
  const firstPid = server.pid;
  await server.kill();
  expect(await isFree(server.port)).toBe(true);
  await server.restart();
  expect(server.pid).not.toBe(firstPid);
  const again = await connect(server.url);
  expect((await again.jsm.streams.info('KEPT')).config.subjects).toEqual(['kept']);
  await again.bus.close();
  await server.stop();
  expect(existsSync(server.dataDir)).toBe(false);
});

async function connect(url: string) {
  const bus = await Bus.connect({ url, name: 'test' }, log);
  return { bus, jsm: bus.internals.jsm };
}
