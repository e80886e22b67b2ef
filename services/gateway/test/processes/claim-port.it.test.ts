import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type ClaimedPort, claimPort } from '../../src/processes/claim-port.ts';

const SENTENCE = /^Port \d+ on 127\.0\.0\.1 is in use; set PORT to another one\.$/;
const claims: ClaimedPort[] = [];
const servers: Server[] = [];
afterEach(() => {
  for (const claim of claims.splice(0)) claim.release();
  for (const server of servers.splice(0)) server.close();
});

async function claim(port: number): Promise<number> {
  const claimed = await claimPort('127.0.0.1', port);
  claims.push(claimed);
  return claimed.port;
}

async function listen(port: number): Promise<void> {
  const server = createServer();
  servers.push(server);
  server.listen({ port, host: '127.0.0.1', reusePort: true });
  await once(server, 'listening');
}

test('0 picks a free port, on which processes may listen together', async () => {
  const port = await claim(0);
  await listen(port);
  await listen(port);
});

test('a port on which somebody listens is refused, also one that is shared', async () => {
  const port = await claim(0);
  await listen(port);
  for (const claimed of claims.splice(0)) claimed.release();
  await expect(claim(port)).rejects.toThrow(SENTENCE);
});

test.runIf(process.platform === 'linux')(
  'a claimed port on which nobody listens yet is refused',
  async () => {
    const port = await claim(0);
    await expect(claim(port)).rejects.toThrow(SENTENCE);
  },
);

test('of several who claim a port at the same moment one gets it', async () => {
  const port = await claim(0);
  for (const claimed of claims.splice(0)) claimed.release();
  const tries = await Promise.allSettled([claim(port), claim(port), claim(port)]);
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});
