/** Rooms when gateways are killed and people are away: who is there, and what waits for them. */
import { type Frame, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { revive } from '../src/alive.ts';
import { roomsV1 } from '../src/chat-wires.ts';
import { reportFailures } from '../src/report-failures.ts';
import { ResumingClient } from '../src/resuming-client.ts';
import { createRoom, readRoom } from '../src/rooms-http.ts';

const FAST = { tokensPerSecond: 0 };

let stack: Stack;
let owner: string;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    agents: 1,
    demo: { answer: 'echo', ...FAST, firstTokenMs: 0 },
    env: { WS_RATE_LIMIT_REQUESTS: '10000' },
  });
  owner = await stack.token({ sub: 'owner' });
});
afterAll(() => stack?.stop());
beforeEach(() => stack.demo.behave(FAST));
afterEach(() => revive(stack.gateways));
reportFailures(() => stack);

/** Somebody on rooms-v1 without cursors, as the seed's clients are. */
async function come(sub: string, room: string | undefined, gateway: number): Promise<ResumingClient> {
  const token = await stack.token({ sub });
  const client = new ResumingClient(roomsV1, { token, ...(room && { room }), query: { seq: '' } });
  await client.open(stack.url(gateway));
  if (room !== undefined) await client.until(() => typesOf(client).includes('join_room'));
  return client;
}

/** Everything that waited for them has come. */
async function settled(client: ResumingClient): Promise<void> {
  client.probe.send({ type: 'ping' });
  await client.until(() => typesOf(client).includes('pong'));
  // What came before the pong may have been received and not read yet.
  await client.readRest();
}

async function say(client: ResumingClient, ...texts: string[]): Promise<void> {
  const before = client.confirmed.size;
  for (const text of texts) client.ask(text, text);
  await client.until(() => client.confirmed.size === before + texts.length);
}

function typesOf(client: ResumingClient): string[] {
  return client.probe.frames.map(({ type }) => type);
}

describe('presence', () => {
  it('[rooms/presence] [rooms/presence-killed] is right within 10 s after a gateway was killed', async () => {
    const room = 'presence';
    await createRoom(stack.httpUrl(), owner, { room_id: room, room_type: 'shared', ai: 'never' });
    const stays = await come('stays', room, 1);
    const onBoth = [await come('on both', room, 0), await come('on both', room, 1)];
    const gone = [await come('gone one', room, 0), await come('gone two', room, 0)];
    const online = async () => (await readRoom(stack.httpUrl(1), owner, room)).online.toSorted();
    await expect.poll(online).toEqual(['gone one', 'gone two', 'on both', 'stays']);
    const offline = () =>
      stays.probe.frames
        .filter(({ type, data }: Frame) => type === 'presence' && data.status === 'offline')
        .map(({ data }: Frame) => data.user_id);
    await stack.gateways[0]?.kill();
    await expect.poll(online, { timeout: 10_000, interval: 100 }).toEqual(['on both', 'stays']);
    await expect.poll(() => offline().length, { timeout: 10_000 }).toBe(2);
    expect(offline().toSorted()).toEqual(['gone one', 'gone two']);
    await stack.gateways[0]?.restart();
    const back = await come('gone one', room, 0);
    await expect.poll(online).toEqual(['gone one', 'on both', 'stays']);
    await Promise.all(gone.map((client) => client.cut()));
    await Promise.all([stays, back, ...onBoth].map((client) => client.close()));
  });
});

describe('what was said while a member was away', () => {
  /** A room with a speaker on gateway 0, and a member who has been there and is away. */
  async function away(room: string, ai: 'always' | 'never') {
    await createRoom(stack.httpUrl(), owner, { room_id: room, room_type: 'shared', ai });
    const sub = `member of ${room}`;
    const member = await come(sub, room, 0);
    await member.close();
    const token = await stack.token({ sub: `speaker of ${room}` });
    const speaker = new ResumingClient(roomsV1, { token, room });
    await speaker.open(stack.url(0));
    return { speaker, sub };
  }

  it('[rooms/offline-queue] [rooms/offline-order] comes in order, once and marked as queued, on one device only', async () => {
    const { speaker, sub } = await away('queue', 'never');
    const texts = Array.from({ length: 12 }, (_, at) => `Message ${at}`);
    await say(speaker, ...texts);
    const back = await come(sub, undefined, 1);
    await settled(back);
    expect(back.heard).toMatchObject(texts.map((text) => ({ text, queued: true })));
    const other = await come(sub, undefined, 0);
    await settled(other);
    expect(typesOf(other)).toEqual(['connect', 'pong']);
    // Who joins the room is told no more of it either, only what is new.
    const joined = await come(sub, 'queue', 1);
    await say(speaker, 'And one more');
    await joined.until(() => joined.heard.length > 0);
    expect(joined.heard).toMatchObject([{ text: 'And one more', queued: false }]);
    await Promise.all([speaker, back, other, joined].map((client) => client.close()));
  });

  it('[rooms/offline-order] comes once where the first device joins the room and another one comes right after it', async () => {
    const { speaker, sub } = await away('two devices', 'never');
    await say(speaker, 'First', 'Second');
    const joined = await come(sub, 'two devices', 1);
    await joined.until(() => joined.heard.length === 2);
    expect(joined.heard).toMatchObject([
      { text: 'First', queued: true },
      { text: 'Second', queued: true },
    ]);
    await settled(joined);
    const other = await come(sub, undefined, 0);
    await settled(other);
    expect(other.heard).toEqual([]);
    await Promise.all([speaker, joined, other].map((client) => client.close()));
  });

  it('[rooms/offline-cap] above the cap the oldest is left out, and queue_cut says how many', async () => {
    const { speaker, sub } = await away('cap', 'never');
    const texts = Array.from({ length: 130 }, (_, at) => `Message ${at}`);
    for (let at = 0; at < texts.length; at += 50) await say(speaker, ...texts.slice(at, at + 50));
    const back = await come(sub, undefined, 1);
    await settled(back);
    const cut = back.probe.frames.find(({ type }) => type === 'queue_cut');
    expect(cut?.data).toMatchObject({ dropped: 30, room_id: 'cap' });
    expect(typesOf(back).indexOf('queue_cut')).toBeLessThan(typesOf(back).indexOf('chat'));
    expect(back.heard.map(({ text }) => text)).toEqual(texts.slice(30));
    await Promise.all([speaker, back].map((client) => client.close()));
  });

  it('[rooms/offline-order] has edits worked into it, deletions without their text, and whole answers', async () => {
    const { speaker, sub } = await away('changed', 'always');
    const { probe, visit } = speaker;
    const change = (type: string, message_id: string, message?: string) =>
      probe.send({ type, data: { message_id, message }, room_id: visit.room });
    await say(speaker, 'To be edited', 'To be deleted');
    await speaker.until(() => speaker.ended.length === 2);
    change('edit_message', 'To be edited', 'Has been edited');
    change('delete_message', 'To be deleted');
    const changes = () =>
      probe.frames.filter(({ data }) => ['edited', 'deleted'].includes(data?.status)).length;
    await speaker.until(() => changes() === 2);
    const back = await come(sub, undefined, 1);
    await settled(back);
    expect(back.faults).toEqual([]);
    expect(back.heard.map(({ text }) => text)).toEqual(['Has been edited']);
    expect(back.ended.map(({ text }) => text)).toEqual(['Echo: To be edited', 'Echo: To be deleted']);
    const deleted = back.probe.frames.filter(({ type }) => type === 'message_deleted');
    expect(deleted.map(({ data }) => data.id)).toEqual([speaker.confirmed.get('To be deleted')]);
    await Promise.all([speaker, back].map((client) => client.close()));
  });

  it('[rooms/offline-order] an answer that is under way comes whole once it has ended, or to who joins', async () => {
    await stack.demo.behave({ tokensPerSecond: 20 });
    const { speaker, sub } = await away('under way', 'always');
    const question = 'Is this answered in two parts, or is it all there in one?';
    await say(speaker, question);
    await speaker.until(() => speaker.underway.length > 15);
    const early = await come(sub, undefined, 1);
    await settled(early);
    expect(early.heard.map(({ text }) => text)).toEqual([question]);
    expect(early.answers).toEqual([]);
    await early.close();
    const joined = await come(sub, 'under way', 1);
    await joined.until(() => joined.underway !== '');
    await joined.cut();
    await speaker.until(() => speaker.ended.length === 1);
    const back = await come(sub, undefined, 0);
    await settled(back);
    expect([...back.faults, ...joined.faults]).toEqual([]);
    expect([...joined.heard, ...back.heard]).toEqual([]);
    expect(back.ended).toMatchObject([{ text: `Echo: ${question}`, status: 'completed' }]);
    await Promise.all([speaker, back].map((client) => client.close()));
  });
});
