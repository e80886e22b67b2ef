import { connect, headers, type Msg } from '@nats-io/transport-node';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headOf, lastHeader } from '../../src/bus/message-head.ts';

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

/** A message as it comes from a broker. */
async function received(write: (head: ReturnType<typeof headers>) => void, body = 'body'): Promise<Msg> {
  const nc = await connect({ servers: server.url });
  try {
    const { promise, resolve } = Promise.withResolvers<Msg>();
    nc.subscribe('here', { callback: (_error, message) => resolve(message) });
    const head = headers();
    write(head);
    nc.publish('here', body, [...head.keys()].length === 0 ? {} : { headers: head });
    return await promise;
  } finally {
    await nc.close();
  }
}

describe('the headers of a message', () => {
  it('are still where the library keeps them, so that it makes no map of them', async () => {
    const message = await received((head) => head.append('Nats-Sequence', '7'));
    const inside = message as unknown as { _rdata: Uint8Array; _msg: { hdr: number }; _headers?: unknown };
    expect(inside._rdata).toBeInstanceOf(Uint8Array);
    expect(inside._msg.hdr).toBe('NATS/1.0\r\nNats-Sequence: 7\r\n\r\n'.length);
    expect(headOf(message)).toBe('NATS/1.0\r\nNats-Sequence: 7\r\n\r\n');
    expect(inside._headers).toBeUndefined();
    expect(Buffer.from(message.data).toString()).toBe('body');
  });

  it('say the same as the library does', async () => {
    const written = {
      'Nats-Sequence': ['1', '2'],
      'Nats-Subject': ['ü.€'],
      Empty: [''],
      'X-Nats-Sequence': ['9'],
    };
    const message = await received((head) => {
      for (const [name, values] of Object.entries(written))
        for (const value of values) head.append(name, value);
    });
    const head = headOf(message);
    for (const name of [...Object.keys(written), 'Sequence', 'Missing'])
      expect([name, lastHeader(head, name)]).toEqual([name, message.headers?.last(name) || undefined]);
  });

  it('are empty where there are none, whatever the body looks like', async () => {
    const message = await received(() => undefined, 'NATS/1.0\r\nNats-Sequence: 7\r\n\r\n');
    expect(headOf(message)).toBe('');
  });
});
