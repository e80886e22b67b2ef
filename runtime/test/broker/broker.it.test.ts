import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test, vi } from 'vitest';
import { findBroker } from '../../src/broker/binary.ts';
import { startBroker } from '../../src/broker/broker.ts';
import { freePort } from '../../src/broker/free-port.ts';

const binary = findBroker(process.env.PATH ?? '') ?? 'nats-server';
const dataDir = mkdtempSync(join(tmpdir(), 'natter-broker-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

test('a broker on a taken port fails with its own words, and no process stays', async () => {
  const port = await freePort();
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  await expect(startBroker({ binary, port, dataDir })).rejects.toMatchObject({
    code: 'BROKER',
    message: expect.stringMatching(/address already in use/),
  });
  other.close();
});

test('a missing program fails with its path', async () => {
  const options = { binary: '/nowhere/nats-server', port: 1, dataDir };
  await expect(startBroker(options)).rejects.toMatchObject({ code: 'BROKER', message: /ENOENT/ });
});

test('a configuration that the broker refuses fails with its complaint', async () => {
  const options = { binary, port: await freePort(), dataDir, extra: 'nonsense {' };
  await expect(startBroker(options)).rejects.toMatchObject({ code: 'BROKER' });
});

test('the broker dies with its parent, even one killed by SIGKILL', async () => {
  const program = `
    import { startBroker } from ${JSON.stringify(new URL('../../src/broker/broker.ts', import.meta.url).href)};
    const broker = await startBroker(${JSON.stringify({ binary, port: await freePort(), dataDir })});
    process.stdout.write(broker.pid + '\\n');
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: parent.stdout }), 'line');
  const pid = Number(line);
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5_000, interval: 20 });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
