/** A bus on a test's own broker, with Natter's streams, closed after the test. */
import type { NatsServer } from '@natter/testkit';
import { onTestFinished } from 'vitest';
import { Bus } from '../../src/bus/bus.ts';
import { ensureTopology } from '../../src/bus/topology.ts';
import { createLogger } from '../../src/logger.ts';

export const TOPOLOGY = { replicas: 1, transcriptDays: 30 };
export const silent = createLogger('test', 'silent');

export async function connected(server: NatsServer): Promise<Bus> {
  const bus = await Bus.connect({ url: server.url, name: 'test' }, silent);
  onTestFinished(() => bus.close());
  await ensureTopology(bus, TOPOLOGY);
  return bus;
}

/** Resolves at the next reconnect, when subscriptions are in place again. */
export function reconnected(bus: Bus): Promise<void> {
  return new Promise((resolve) => bus.onReconnect(resolve));
}
