/** Answers that are stopped: by whom, from where, how often, and what is left of them. */
import { connect, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { agentAtWork } from '../src/agent-at-work.ts';
import { revive } from '../src/alive.ts';
import { CHAT_WIRES, type ChatWire, chatV1, roomsV1, sessionV1 } from '../src/chat-wires.ts';
import { reportFailures } from '../src/report-failures.ts';
import { ResumingClient } from '../src/resuming-client.ts';
import { createRoom, readMessages } from '../src/rooms-http.ts';

const LONG = Array.from({ length: 200 }, (_, at) => `word${at}`).join(' ');
const CANCELLING_WIRES = CHAT_WIRES.filter(({ name }) => name !== 'fastchat-v1');

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    agents: 2,
    demo: { answer: 'echo', tokensPerSecond: 30, firstTokenMs: 0 },
  });
});
afterAll(() => stack?.stop());
afterEach(() => revive(stack.agents));
reportFailures(() => stack);

async function open(wire: ChatWire, sub: string, conversation: string, gateway = 0, query = {}) {
  const token = await stack.token({ sub });
  const client = new ResumingClient(wire, { token, conversation, query });
  await client.open(stack.url(gateway));
  return client;
}

/** Answers a short question last, so that whatever comes twice has come. */
async function expectOneEnd(client: ResumingClient): Promise<void> {
  const before = client.ended.length;
  client.ask('And now?', `and now ${before}`);
  await client.until(() => client.ended.length > before);
  expect(client.faults).toEqual([]);
  expect(client.ended).toHaveLength(before + 1);
  expect(client.ended.at(-1)).toMatchObject({ status: 'completed', text: 'Echo: And now?' });
}

describe('a running answer', () => {
  it('[cancel/any-device] [cancel/idempotent] is stopped from another device on another gateway, acknowledged each time it is asked', async () => {
    for (const wire of CANCELLING_WIRES) {
      const conversation = `stopped on ${wire.name}`;
      const asker = await open(wire, 'alice', conversation, 0);
      const other = await open(wire, 'alice', conversation, 1);
      asker.ask(LONG, 'long');
      await asker.until(() => asker.underway.length > 20);
      other.cancel('long');
      other.cancel('long');
      await other.until(() => other.stopping.length === 2);
      await asker.until(() => asker.ended.length === 1);
      const [answer] = asker.ended;
      expect(answer).toMatchObject({ status: 'cancelled' });
      expect(`Echo: ${LONG}`.startsWith(answer?.text ?? 'nothing')).toBe(true);
      expect(other.stopping[0]).toBe('cancelling');
      other.cancel('long');
      await other.until(() => other.stopping.length === 3);
      expect(other.stopping[2]).toBe('ended');
      await expectOneEnd(asker);
      await Promise.all([asker.close(), other.close()]);
    }
  });

  it('[cancel/partial-kept] what was said of it stays in the transcript, marked as cancelled', async () => {
    const token = await stack.token({ sub: 'bob' });
    const room = 'partial';
    await createRoom(stack.httpUrl(), token, { room_id: room, room_type: 'shared' });
    const client = new ResumingClient(roomsV1, { token, room });
    await client.open(stack.url(0));
    client.ask(LONG, 'long');
    await client.until(() => client.underway.length > 20);
    client.cancel();
    await client.until(() => client.ended.length === 1);
    const [answer] = client.ended;
    const messages = await readMessages(stack.httpUrl(1), token, room);
    expect(messages).toMatchObject([
      { role: 'user', content: LONG },
      { role: 'assistant', content: answer?.text, status: 'cancelled' },
    ]);
    await client.close();
  });

  it('[cancel/not-others] goes on when somebody else asks for its end', async () => {
    const room = 'not theirs';
    const owner = await stack.token({ sub: 'carol' });
    await createRoom(stack.httpUrl(), owner, { room_id: room, room_type: 'shared' });
    const asker = new ResumingClient(roomsV1, { token: owner, room });
    const other = new ResumingClient(roomsV1, { token: await stack.token({ sub: 'dave' }), room });
    await asker.open(stack.url(0));
    await other.open(stack.url(1));
    const question = LONG.slice(0, 200);
    asker.ask(question, 'long');
    await other.until(() => other.underway !== '');
    const id = asker.confirmed.get('long') ?? other.answers[0]?.run;
    other.cancel();
    other.cancel('long');
    other.cancel(id ?? 'none');
    other.probe.send({ type: 'cancel', data: { message_id: 'long', user_id: 'carol' }, room_id: room });
    await other.until(() => other.refusals.length === 4);
    expect(new Set(other.refusals)).toEqual(new Set(['MESSAGE_NOT_FOUND']));
    await asker.until(() => asker.ended.length === 1);
    expect(asker.ended).toMatchObject([{ status: 'completed', text: `Echo: ${question}` }]);
    await Promise.all([asker.close(), other.close()]);
  });

  it('[cancel/idempotent] its agent is killed with -9 right after: there is exactly one last frame', async () => {
    const asker = await open(roomsV1, 'erin', 'agent killed', 0);
    const watcher = await open(sessionV1, 'erin', 'agent killed', 1);
    asker.ask(LONG, 'long');
    await asker.until(() => asker.underway.length > 20);
    const { agent } = await agentAtWork(stack);
    asker.cancel('long');
    await asker.until(() => asker.stopping.length === 1);
    await agent.kill();
    await Promise.all([asker, watcher].map((client) => client.until(() => client.ended.length === 1)));
    expect(asker.ended).toMatchObject([{ status: 'cancelled' }]);
    expect(watcher.ended).toMatchObject([{ status: 'cancelled', text: asker.ended[0]?.text }]);
    await expectOneEnd(asker);
    await watcher.until(() => watcher.ended.length === 2);
    expect(watcher.faults).toEqual([]);
    await Promise.all([asker.close(), watcher.close()]);
  });
});

describe('a question that waits', () => {
  it('[cancel/any-device] is cancelled before it begins, and those behind it are answered', async () => {
    const client = await open(roomsV1, 'fred', 'waits', 0);
    client.ask('The first, which goes on for so many words that there is time', 'first');
    client.ask('The second', 'second');
    client.ask('The third', 'third');
    await client.until(() => client.confirmed.size === 3);
    client.cancel('second');
    await client.until(() => client.stopping.length === 1);
    await client.until(() => client.ended.length === 3);
    expect(client.faults).toEqual([]);
    expect(client.ended).toMatchObject([
      { status: 'completed', text: 'Echo: The first, which goes on for so many words that there is time' },
      { status: 'cancelled', text: '' },
      { status: 'completed', text: 'Echo: The third' },
    ]);
    await client.close();
  });
});

describe('two questions at once', () => {
  it('[busy/queue] are answered in order by default, from two gateways too', async () => {
    const one = await open(roomsV1, 'gina', 'two at once', 0);
    const two = await open(chatV1, 'gina', 'two at once', 1);
    one.ask('The first of two, with some words more', 'first');
    await two.until(() => two.underway !== '');
    two.ask('The second of two', 'second');
    await Promise.all([one, two].map((client) => client.until(() => client.ended.length === 2)));
    const texts = ['Echo: The first of two, with some words more', 'Echo: The second of two'];
    expect(one.ended.map(({ text }) => text)).toEqual(texts);
    expect(two.ended.map(({ text }) => text)).toEqual(texts);
    expect([...one.faults, ...two.faults]).toEqual([]);
    await Promise.all([one.close(), two.close()]);
  });

  it('[busy/reject] the second is refused with BUSY where the connection says so', async () => {
    for (const wire of CHAT_WIRES) {
      const client = await open(wire, 'harry', `rejects ${wire.name}`, 0, { on_busy: 'reject' });
      const question = `On ${wire.name} with some words more`;
      client.ask(question, 'first');
      await client.until(() => client.underway !== '');
      client.ask('The second', 'second');
      await client.until(() => client.refusals.length === 1 && client.ended.length === 1);
      expect(client.refusals).toEqual(['BUSY']);
      expect(client.ended).toMatchObject([{ text: `Echo: ${question}`, status: 'completed' }]);
      await expectOneEnd(client);
      await client.close();
    }
  });

  it('[busy/interrupt] the second stops the first where the connection says so, and is answered', async () => {
    for (const wire of CHAT_WIRES) {
      const client = await open(wire, 'iris', `interrupts ${wire.name}`, 0, { on_busy: 'interrupt' });
      client.ask(LONG, 'first');
      await client.until(() => client.underway.length > 20);
      client.ask('The second', 'second');
      await client.until(() => client.ended.length === 2);
      expect(client.faults).toEqual([]);
      expect(client.ended).toMatchObject([
        { status: 'cancelled' },
        { status: 'completed', text: 'Echo: The second' },
      ]);
      await client.close();
    }
  });

  it('[busy/interrupt] set_on_busy changes it while connected', async () => {
    const token = await stack.token({ sub: 'jane' });
    const probe = await connect(stack.url(1) + roomsV1.path({ token }));
    const chat = (message: string, message_id: string) =>
      probe.send({ type: 'chat', data: { message, conversation_id: 'changes' }, message_id });
    chat(LONG, 'first');
    await probe.next(({ data }) => data.streaming === true);
    probe.send({ type: 'set_on_busy', data: { on_busy: 'reject' } });
    chat('The second', 'second');
    const busy = await probe.nextOfType('error');
    expect(busy.data).toMatchObject({ code: 'BUSY', message_id: 'second' });
    probe.send({ type: 'set_on_busy', data: { on_busy: 'interrupt' } });
    chat('The third', 'third');
    const first = await probe.next(({ data }) => data.done === true);
    expect(first.data).toMatchObject({ reply_to: 'first', cancelled: true, cancelled_by: 'jane' });
    const third = await probe.next(({ data }) => data.done === true);
    expect(third.data).toMatchObject({ reply_to: 'third', response: 'Echo: The third' });
    await probe.close();
  });
});
