import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { leanSubscription } from '../../src/bus/lean-subscription.ts';

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

async function dialled(): Promise<NatsConnection> {
  const nc = await connect({ servers: server.url });
  onTestFinished(() => nc.close());
  return nc;
}

test('the library still keeps in these fields the promises that are taken from it', async () => {
  const nc = await dialled();
  const subscription = nc.subscribe('fields', { callback: () => undefined });
  const fields = ['signal', 'iterClosed', 'closed'];
  const inside = subscription as unknown as Record<string, { resolve?: unknown; then?: unknown }>;
  for (const field of fields) {
    expect(Object.hasOwn(subscription, field), field).toBe(true);
    expect([field, typeof inside[field]?.resolve, typeof inside[field]?.then]).toEqual([
      field,
      'function',
      'function',
    ]);
  }
  // Where the handler is kept, and what only iterators fill.
  expect([Object.hasOwn(subscription, '_data'), (inside as { _data?: unknown })._data]).toEqual([
    true,
    undefined,
  ]);
  expect((inside as { yields?: unknown }).yields).toEqual([]);
  // No further one: it would cost each user and each conversation 230 bytes.
  const promises = Object.entries(inside).filter(([, value]) => value instanceof Promise);
  expect(promises.map(([name]) => name).sort()).toEqual([...fields].sort());
});

test('a subscription without them hears, ends by itself, when told to, and with the connection', async () => {
  const nc = await dialled();
  const heard: string[] = [];
  const hear = (name: string, max?: number) =>
    leanSubscription(
      nc.subscribe('said', { ...(max === undefined ? {} : { max }), callback: () => void heard.push(name) }),
    );
  const [once, ended, kept] = [hear('once', 1), hear('ended'), hear('kept')];
  nc.publish('said');
  await nc.flush();
  expect(heard.splice(0).sort()).toEqual(['ended', 'kept', 'once']);
  ended.unsubscribe();
  nc.publish('said');
  await nc.flush();
  expect(heard.splice(0)).toEqual(['kept']);
  expect([once.isClosed(), ended.isClosed(), kept.isClosed()]).toEqual([true, true, false]);
  await kept.drain();
  hear('last');
  await nc.drain();
  expect(nc.isClosed()).toBe(true);
});
