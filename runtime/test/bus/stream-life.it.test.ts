import { STREAMS, SUBJECTS } from '@natter/proto';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { ensureTopology, type TopologyOptions } from '../../src/bus/topology.ts';
import { connected, TOPOLOGY } from './connected.ts';

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

/** Once the broker is back. */
async function ensured(bus: Bus, options: TopologyOptions): Promise<void> {
  await expect
    .poll(() => ensureTopology(bus, options).then(() => true), { timeout: 30_000, interval: 50 })
    .toBe(true);
}

describe('the life of a stream', () => {
  it('is the same over restarts of the broker and updates, and another one once it was made anew', async () => {
    const bus = await connected(server);
    await ensureTopology(bus, TOPOLOGY);
    const life = await bus.streamCreated(STREAMS.logs);
    for (let restart = 0; restart < 2; restart += 1) {
      await bus.append(SUBJECTS.log('a', 'info', 'b'), 'x', { id: `restart ${restart}` });
      await server.kill();
      await server.restart();
      await ensured(bus, { ...TOPOLOGY, logDays: 4 + restart });
      expect(await bus.streamCreated(STREAMS.logs)).toBe(life);
    }
    await bus.internals.jsm.streams.delete(STREAMS.logs);
    await ensureTopology(bus, TOPOLOGY);
    expect(await bus.streamCreated(STREAMS.logs)).not.toBe(life);
  });

  it('of a stream that was made without one is when that was made, also later', async () => {
    const bus = await connected(server);
    const { jsm } = bus.internals;
    await jsm.streams.delete(STREAMS.logs);
    const { created } = await jsm.streams.add({ name: STREAMS.logs, subjects: [SUBJECTS.allLogLines] });
    expect(await bus.streamCreated(STREAMS.logs)).toBe(created);
    for (let restart = 0; restart < 2; restart += 1) {
      await server.restart();
      await ensured(bus, TOPOLOGY);
      expect(await bus.streamCreated(STREAMS.logs)).toBe(created);
    }
  });
});
