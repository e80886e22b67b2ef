/** A connection to the broker that may do what a gateway may. */
import { Bus, createLogger } from '@natter/runtime';
import type { NatsServer } from '@natter/testkit';

/** The load asks and listens as gateways do; it needs no user of its own. */
export function connectAsGateway(nats: NatsServer): Promise<Bus> {
  const nkeyFile = nats.keyFile('gateway') ?? null;
  return Bus.connect({ url: nats.url, name: 'gateway', nkeyFile }, createLogger('bench', 'error'));
}
