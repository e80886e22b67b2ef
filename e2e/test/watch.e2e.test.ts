/** One answer seen from several wires and devices at once, on two gateways. */
import { type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHAT_WIRES, roomsV1 } from '../src/chat-wires.ts';
import { reportFailures } from '../src/report-failures.ts';
import { ResumingClient } from '../src/resuming-client.ts';
import { createRoom } from '../src/rooms-http.ts';

const QUESTION = 'Who sees this, and all of it, on whatever wire and gateway they are?';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    agents: 2,
    demo: { answer: 'echo', tokensPerSecond: 30, firstTokenMs: 0 },
  });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

/** Each wire on each gateway; all of them are there when this resolves. */
async function everyWire(
  visitOf: (sub: string) => Promise<{ token: string; room?: string; conversation?: string }>,
) {
  const clients = await Promise.all(
    [0, 1].flatMap((gateway) =>
      CHAT_WIRES.map(async (wire) => {
        const client = new ResumingClient(wire, await visitOf(`on ${wire.name} at ${gateway}`));
        await client.open(stack.url(gateway));
        return client;
      }),
    ),
  );
  return clients;
}

/** Questions of `asker` until all have seen an answer: not all wires say when they are there. */
async function untilThere(asker: ResumingClient, clients: ResumingClient[]): Promise<void> {
  for (let count = 1; count <= 20 && clients.some(({ ended }) => ended.length === 0); count += 1) {
    asker.ask(`Hello ${count}`, `hello ${count}`);
    await asker.until(() => asker.ended.length === count);
    for (const client of clients) await client.readRest();
  }
}

async function expectAllSee(clients: ResumingClient[], answer: string): Promise<void> {
  await Promise.all(clients.map((client) => client.until(() => client.ended.at(-1)?.text === answer)));
  for (const client of clients) {
    expect(client.faults).toEqual([]);
    expect(client.ended.filter(({ text }) => text === answer)).toMatchObject([{ status: 'completed' }]);
  }
}

describe('all wires at once', () => {
  it('[wires/one-room] [rooms/everybody-sees] watch one room, each in its own frames', async () => {
    const room = 'watched';
    const owner = await stack.token({ sub: 'alice' });
    await createRoom(stack.httpUrl(), owner, { room_id: room, room_type: 'shared' });
    const asker = new ResumingClient(roomsV1, { token: owner, room });
    await asker.open(stack.url(0));
    const clients = await everyWire(async (sub) => ({ token: await stack.token({ sub }), room }));
    await untilThere(asker, clients);
    asker.ask(QUESTION, 'the question');
    await expectAllSee([asker, ...clients], `Echo: ${QUESTION}`);
    for (const client of clients)
      expect(client.heard.filter(({ text }) => text === QUESTION)).toHaveLength(1);
    await Promise.all([asker, ...clients].map((client) => client.close()));
  });

  it('[wires/one-run] watch one run of a conversation of the user’s own', async () => {
    const token = await stack.token({ sub: 'bob' });
    const visit = { token, conversation: 'watched' };
    // Devices on rooms-v1 hear of it by themselves, if it is asked on rooms-v1.
    const asker = new ResumingClient(roomsV1, visit);
    await asker.open(stack.url(1));
    const clients = await everyWire(async () => visit);
    await untilThere(asker, clients);
    asker.ask(QUESTION, 'the question');
    await expectAllSee([asker, ...clients], `Echo: ${QUESTION}`);
    await Promise.all([asker, ...clients].map((client) => client.close()));
  });
});

describe('the devices of one user', () => {
  it('[rooms/other-devices] another one sees question and answer of a conversation, though it has joined nothing', async () => {
    const token = await stack.token({ sub: 'carol' });
    const devices = await Promise.all(
      [0, 1, 1].map(async (gateway) => {
        const device = new ResumingClient(roomsV1, { token, conversation: 'of carol' });
        await device.open(stack.url(gateway));
        return device;
      }),
    );
    const stranger = new ResumingClient(roomsV1, { token: await stack.token({ sub: 'dave' }) });
    await stranger.open(stack.url(1));
    const [asker, ...others] = devices;
    asker?.ask(QUESTION, 'the question');
    await expectAllSee(devices, `Echo: ${QUESTION}`);
    expect(asker?.heard).toEqual([]);
    for (const device of others) expect(device.heard.map(({ text }) => text)).toEqual([QUESTION]);
    stranger.probe.send({ type: 'ping' });
    await stranger.until(() => stranger.probe.frames.some(({ type }) => type === 'pong'));
    expect(stranger.probe.frames.map(({ type }) => type)).toEqual(['connect', 'pong']);
    await Promise.all([stranger, ...devices].map((client) => client.close()));
  });
});
