import { Bus, createLogger, ensureTopology } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RateStore } from '../../src/bus/rate-store.ts';

const log = createLogger('gateway', 'silent');
const LIMIT = 20;
let nats: NatsServer;
let buses: Bus[];

beforeAll(async () => {
  nats = await startNatsServer({ signIn: true });
  const connect = (name: 'gateway' | 'agent') =>
    Bus.connect({ url: nats.url, name, nkeyFile: nats.keyFile(name) }, log);
  const agent = await connect('agent');
  buses = [await connect('gateway'), await connect('gateway')];
  const rates = { rateLimitRequests: LIMIT, rateLimitWindowSeconds: 60, sessionRateLimit: 3 };
  await ensureTopology(agent, { replicas: 1, transcriptDays: 1, ...rates });
  await agent.close();
});

afterAll(async () => {
  for (const bus of buses) await bus.close();
  await nats.stop();
});

/** Of two gateways. */
const stores = () => buses.map((bus) => new RateStore(bus, 60, Date.now)) as [RateStore, RateStore];

describe('RateStore', () => {
  it('allows exactly the limit of three times as many at once, from two gateways', async () => {
    const both = stores();
    const takes = Array.from({ length: LIMIT * 3 }, (_, index) => both[index % 2]?.take('user', 'alice'));
    const waits = await Promise.all(takes);
    expect(waits.filter((wait) => wait === 0)).toHaveLength(LIMIT);
    const refused = waits.filter((wait) => wait !== 0);
    for (const wait of refused) expect(wait).toBeGreaterThanOrEqual(1);
    for (const wait of refused) expect(wait).toBeLessThanOrEqual(60);
  });

  it('tells when the oldest request will have left the window', async () => {
    const [store] = stores();
    for (let request = 0; request < 3; request += 1) expect(await store.take('session', 's')).toBe(0);
    const later = new RateStore(buses[0] as Bus, 60, () => Date.now() + 45_000);
    const wait = await later.take('session', 's');
    expect(wait).toBeGreaterThanOrEqual(14);
    expect(wait).toBeLessThanOrEqual(16);
  });

  it('counts each user and each session by itself, whatever their ids are made of', async () => {
    const [store] = stores();
    const ids = ['>', '*', 'a.b', '$JS.API.>', '😀', '__proto__', '', 'x'.repeat(10_000), 'y'.repeat(10_000)];
    for (const id of ids)
      for (let request = 0; request < 3; request += 1) expect(await store.take('session', id)).toBe(0);
    for (const id of ids) expect(await store.take('session', id)).toBeGreaterThan(0);
    expect(await store.take('user', '>')).toBe(0);
  });

  it('allows without a broker, which could not store a question either', async () => {
    const nkeyFile = nats.keyFile('gateway');
    const bus = await Bus.connect({ url: nats.url, name: 'gateway', nkeyFile }, log);
    const full = Array.from({ length: LIMIT }, () => new RateStore(bus, 60, Date.now).take('user', 'bob'));
    await Promise.all(full);
    await bus.close();
    expect(await new RateStore(bus, 60, Date.now).take('user', 'bob')).toBe(0);
  });
});
