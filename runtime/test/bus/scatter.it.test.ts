import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Bus } from '../../src/bus/bus.ts';
import { silent } from './connected.ts';

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

async function dialled(): Promise<Bus> {
  const bus = await Bus.connect({ url: server.url, name: 'test' }, silent);
  onTestFinished(() => bus.close());
  return bus;
}

/** Listens under a name, and is known to the broker when it resolves. */
async function listener(subject: string, name: string): Promise<Bus> {
  const bus = await dialled();
  bus.subscribe(subject, (message) => message.respond(name));
  await bus.request(subject, 'are you there', 1_000);
  return bus;
}

const texts = (answers: Uint8Array[]) => answers.map((data) => Buffer.from(data).toString()).sort();

describe('requestMany', () => {
  it('gathers an answer of everybody who listens', async () => {
    const bus = await dialled();
    for (const name of ['a', 'b', 'c']) await listener('all', name);
    expect(texts(await bus.requestMany('all', '', { max: 3, timeoutMs: 5_000 }))).toEqual(['a', 'b', 'c']);
  });

  it('ends with as many as it was to wait for', async () => {
    const bus = await dialled();
    for (const name of ['a', 'b', 'c']) await listener('some', name);
    expect(await bus.requestMany('some', '', { max: 2, timeoutMs: 60_000 })).toHaveLength(2);
  });

  it('ends at its deadline with what has come', async () => {
    const bus = await dialled();
    await listener('late', 'a');
    expect(texts(await bus.requestMany('late', '', { max: 2, timeoutMs: 50 }))).toEqual(['a']);
  });

  it('ends at once with nothing when nobody listens', async () => {
    const bus = await dialled();
    expect(await bus.requestMany('nobody', '', { max: 2, timeoutMs: 60_000 })).toEqual([]);
  });

  it('throws without a connection', async () => {
    const bus = await dialled();
    await bus.close();
    await expect(bus.requestMany('all', '', { max: 1, timeoutMs: 50 })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });
});
