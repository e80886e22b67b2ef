/** What the broker itself knows of logs: asked as one of our services may. */

import { Bus, createLogger, type ServiceName } from '@natter/runtime';
import type { Stack } from '@natter/testkit';

export async function onBus<T>(
  { nats }: Stack,
  name: ServiceName,
  work: (bus: Bus) => Promise<T>,
): Promise<T> {
  const bus = await Bus.connect(
    { url: nats.url, name, nkeyFile: nats.keyFile(name) ?? null },
    createLogger('test', 'silent'),
  );
  try {
    return await work(bus);
  } finally {
    await bus.close();
  }
}

/** Makes LOGS drop all but its newest lines; agents may change streams. Returns what it holds then. */
export function shortenLogs(stack: Stack, keep: number): Promise<{ firstSeq: number; lastSeq: number }> {
  return onBus(stack, 'agent', async (bus) => {
    const ask = async (what: string, body: object = {}) => {
      const reply = await bus.request(`$JS.API.STREAM.${what}.LOGS`, JSON.stringify(body), 5_000);
      const { error, ...rest } = JSON.parse(Buffer.from(reply).toString());
      if (error) throw new Error(error.description);
      return rest;
    };
    const { config } = await ask('INFO');
    await ask('UPDATE', { ...config, max_msgs: keep });
    await ask('UPDATE', config);
    return bus.streamState('LOGS');
  });
}
