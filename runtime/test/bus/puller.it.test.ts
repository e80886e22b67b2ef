import { CONSUMERS, conversationKey, STREAMS, SUBJECTS } from '@natter/proto';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Delivery } from '../../src/bus/puller.ts';
import { TURN_ACK_WAIT_MS } from '../../src/bus/topology.ts';
import { connected } from './connected.ts';

const SUBJECT = SUBJECTS.turn(conversationKey('alice', 'main'));

let server: NatsServer;
beforeEach(async () => {
  server = await startNatsServer();
});
afterEach(() => server.stop());

test('what the broker has sent to a puller that stops goes to another one at once', async () => {
  const [producer, one, other] = [await connected(server), await connected(server), await connected(server)];
  const taken = new Map<number, number>();
  const acknowledged: Promise<void>[] = [];
  const take = (delivery: Delivery) => {
    taken.set(delivery.seq, performance.now());
    acknowledged.push(delivery.done());
  };
  const stopping = one.puller(STREAMS.turns, CONSUMERS.agents);
  stopping.start(() => 100, take);
  const staying = other.puller(STREAMS.turns, CONSUMERS.agents);
  staying.start(() => 100, take);
  const appended = Array.from({ length: 200 }, (_, index) =>
    producer.append(SUBJECTS.turn(conversationKey('alice', `${index}`)), 'x', { id: `${index}` }),
  );
  // Many more are on their way to it.
  await vi.waitFor(() => expect(taken.size).toBeGreaterThan(10), { interval: 1 });
  const stoppedAt = performance.now();
  await stopping.stop();
  await Promise.all(appended);
  await vi.waitFor(() => expect(taken.size).toBe(200), { timeout: 20_000 });
  // What is lost on the way comes back only after AckWait.
  expect(Math.max(...taken.values()) - stoppedAt).toBeLessThan(TURN_ACK_WAIT_MS / 2);
  await staying.stop();
  await Promise.all(acknowledged);
});

test('a puller can be stopped before its first request, and while the broker is away', async () => {
  const bus = await connected(server);
  const early = bus.puller(STREAMS.turns, CONSUMERS.agents);
  early.start(
    () => 1,
    () => undefined,
  );
  await early.stop();
  const late = bus.puller(STREAMS.turns, CONSUMERS.agents);
  const taken: Delivery[] = [];
  late.start(
    () => 1,
    (delivery) => taken.push(delivery),
  );
  await bus.append(SUBJECT, 'x', { id: '1' });
  await vi.waitFor(() => expect(taken).toHaveLength(1));
  await server.kill();
  await vi.waitFor(() => expect(bus.connected).toBe(false));
  await late.stop();
});
