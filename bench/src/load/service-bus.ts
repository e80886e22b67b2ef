/** Connections to the broker that may do what a service may. */
import { Bus, createLogger, type ServiceName } from '@natter/runtime';
import type { NatsServer } from '@natter/testkit';

/** The load asks, listens and publishes as services do; it needs no user of its own. */
export function connectAs(service: ServiceName, nats: NatsServer): Promise<Bus> {
  const nkeyFile = nats.keyFile(service) ?? null;
  return Bus.connect({ url: nats.url, name: service, nkeyFile }, createLogger('bench', 'error'));
}
