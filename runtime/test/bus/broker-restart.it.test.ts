import { CONSUMERS, conversationKey, STREAMS, SUBJECTS } from '@natter/proto';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Delivery } from '../../src/bus/puller.ts';
import { connected, reconnected } from './connected.ts';

const SUBJECT = SUBJECTS.turn(conversationKey('alice', 'main'));

let server: NatsServer;
beforeEach(async () => {
  server = await startNatsServer();
});
afterEach(() => server.stop());

test('TURNS remembers the id of a message across a kill of the broker', async () => {
  const bus = await connected(server);
  const first = await bus.append(SUBJECT, 'one', { id: 'run-1' });
  expect(first.duplicate).toBe(false);
  const back = reconnected(bus);
  await server.kill();
  await server.restart();
  await back;
  expect(await bus.append(SUBJECT, 'one', { id: 'run-1' })).toEqual({ seq: first.seq, duplicate: true });
  expect(await bus.stored.from(STREAMS.turns, SUBJECT, 1, 10)).toHaveLength(1);
});

test('what is published while the broker is away is dropped, and what is appended is stored', async () => {
  const bus = await connected(server);
  const back = reconnected(bus);
  await server.kill();
  await vi.waitFor(() => expect(bus.connected).toBe(false));
  bus.publish(SUBJECT, 'published');
  const appended = bus.append(SUBJECT, 'appended', { id: 'run-1', timeoutMs: 20_000 });
  await server.restart();
  await Promise.all([back, appended]);
  const stored = await bus.stored.from(STREAMS.turns, SUBJECT, 1, 10);
  expect(stored.map(({ data }) => Buffer.from(data).toString())).toEqual(['appended']);
});

test('appends under way when the broker is killed are each stored once', async () => {
  const bus = await connected(server);
  const ids = Array.from({ length: 300 }, (_, index) => `run-${index}`);
  // A conversation has a bound of waiting turns.
  const subjectOf = (id: string) => SUBJECTS.turn(conversationKey('alice', id));
  const appends: Promise<unknown>[] = [];
  for (const [index, id] of ids.entries()) {
    appends.push(bus.append(subjectOf(id), id, { id, timeoutMs: 30_000 }));
    if (index !== 150) continue;
    // The first one is acknowledged, most others are sent and not yet acknowledged.
    await appends[0];
    await server.kill();
  }
  await server.restart();
  await Promise.all(appends);
  const stored = await bus.stored.from(STREAMS.turns, SUBJECTS.allTurns, 1, 1_000);
  expect(stored.map(({ data }) => Buffer.from(data).toString()).sort()).toEqual(ids.toSorted());
});

test('an append that can be repeated safely gives up with UNAVAILABLE after its time', async () => {
  const bus = await connected(server);
  await server.kill();
  const append = bus.append(SUBJECT, 'x', { id: 'run-1', timeoutMs: 300 });
  await expect(append).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('a puller goes on after the broker was killed', async () => {
  const bus = await connected(server);
  const taken: string[] = [];
  const acknowledged: Promise<void>[] = [];
  const puller = bus.puller(STREAMS.turns, CONSUMERS.agents);
  puller.start(
    () => 10,
    (delivery: Delivery) => {
      taken.push(Buffer.from(delivery.data).toString());
      // One that the kill cuts off brings its turn back.
      acknowledged.push(delivery.done().catch(() => undefined));
    },
  );
  await bus.append(SUBJECT, 'before', { id: 'before' });
  await vi.waitFor(() => expect(taken).toEqual(['before']));
  await server.kill();
  await server.restart();
  await bus.append(SUBJECT, 'after', { id: 'after', timeoutMs: 20_000 });
  await vi.waitFor(() => expect(taken).toContain('after'), { timeout: 20_000 });
  await puller.stop();
  await Promise.all(acknowledged);
});

test('a request under way fails when the connection is lost, not when its time is up', async () => {
  const bus = await connected(server);
  const asked = Promise.withResolvers<void>();
  const silentService = bus.subscribe('never.answered', () => asked.resolve());
  const request = bus.request('never.answered', '?', 600_000);
  const outcome = expect(request).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await asked.promise;
  await server.kill();
  await outcome;
  silentService.close();
});
