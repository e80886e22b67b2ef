/** Clients of all chat wires who come back with a cursor: nothing is missing, nothing comes twice. */
import { connect, type Frame, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { revive } from '../src/alive.ts';
import { CHAT_WIRES, type ChatWire, chatV1, roomsV1 } from '../src/chat-wires.ts';
import { Crowd } from '../src/crowd.ts';
import { randomFrom, seedOfRun } from '../src/random.ts';
import { reportFailures } from '../src/report-failures.ts';
import { ResumingClient } from '../src/resuming-client.ts';
import { ban, createRoom, deleteRoom, kick } from '../src/rooms-http.ts';

const seed = seedOfRun();
const random = randomFrom(seed);

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    agents: 2,
    demo: { answer: 'echo', tokensPerSecond: 25, firstTokenMs: 0 },
    env: {
      WS_RATE_LIMIT_REQUESTS: '100000',
      NATTER_SESSION_RATE_LIMIT: '100000',
      // However slow the broker's return is here, a question is kept rather than refused.
      NATTER_STORE_TIMEOUT_MS: '60000',
    },
  });
});
afterAll(() => stack?.stop());
afterEach(() => revive(stack.gateways));
reportFailures(() => stack);

/** Reads on until all are in the middle of an answer. */
function underWay(clients: readonly ResumingClient[]): Promise<unknown> {
  return Promise.all(
    clients.map((client) => {
      const length = random.between(10, 40);
      return client.until(() => client.underway.length > length);
    }),
  );
}

describe(`in the middle of an answer, with NATTER_TEST_SEED=${seed}`, () => {
  it('[resume/cursor] [resume/run] [resume/network] [resume/other-gateway] the network is lost again and again, each time back on another gateway', async () => {
    const crowd = await Crowd.gather(stack, 'network');
    const count = crowd.ask();
    await Promise.all(
      crowd.everybody.map(async (client) => {
        await client.until(() => client.underway !== '');
        for (let at = 1; client.ended.length < count; at += 1) {
          await client.cut();
          await client.open(stack.url(at % 2));
          const upTo = client.underway.length + random.between(0, 20);
          await client.until(() => client.ended.length === count || client.underway.length > upTo);
        }
      }),
    );
    await crowd.expectAnswers();
    await crowd.close();
  });

  it('[resume/gateway-killed] [resume/rooms] their gateway is killed with -9: they go on at the other', async () => {
    const crowd = await Crowd.gather(stack, 'killed');
    crowd.ask();
    await underWay(crowd.everybody);
    await stack.gateways[0]?.kill();
    await Promise.all(
      crowd.everybody.map(async (client) => {
        await client.lost();
        await client.open(stack.url(1));
      }),
    );
    await crowd.expectAnswers();
    await crowd.close();
  });

  it('[resume/other-gateway] their gateway is stopped: closed with 1012, they go on at the other', async () => {
    const crowd = await Crowd.gather(stack, 'stopped');
    crowd.ask();
    await underWay(crowd.everybody);
    const exit = stack.gateways[0]?.stop();
    await Promise.all(
      crowd.everybody.map(async (client) => {
        expect(await client.lost()).toMatchObject({ code: 1012 });
        await client.open(stack.url(1));
      }),
    );
    await exit;
    await crowd.expectAnswers();
    await crowd.close();
  });
});

describe('several at once, on rooms-v1', () => {
  const LONG = `Mine alone, and long: ${'so many words that it goes on '.repeat(16)}`;

  it('[resume/frame] [resume/rooms] a resume frame goes on in all rooms and conversations it has cursors of', async () => {
    const url = stack.httpUrl();
    const token = await stack.token({ sub: 'fred' });
    const other = await stack.token({ sub: 'george' });
    const rooms = ['frame one', 'frame two'];
    for (const room_id of rooms) await createRoom(url, other, { room_id, room_type: 'shared', ai: 'never' });
    const george = await connect(`${stack.url(1)}${roomsV1.path({ token: other })}`);
    const say = async (message: string, room_id: string) => {
      george.send({ type: 'chat', data: { message }, room_id });
      await george.next(({ type, data }) => type === 'delivery_confirmation' && data.room_id === room_id);
    };

    const path = roomsV1.path({ token, query: { seq: '1' } });
    const first = await connect(stack.url(0) + path);
    for (const room_id of rooms) first.send({ type: 'join_room', data: { room_id } });
    for (const room_id of rooms) await first.next(({ data }) => data.room_id === room_id);
    first.send({ type: 'chat', data: { message: LONG, conversation_id: 'mine' } });
    for (const room of rooms) await say(`before, in ${room}`, room);
    const newest = (frames: Frame[]) =>
      new Map<string, string>(
        frames.flatMap(({ data, cursor }) => (cursor ? [[data.conversation_id, cursor]] : [])),
      );
    // What a gateway has sent to a member doesn't wait for them, also if it was lost on its way.
    const before = () => first.frames.filter(({ data }) => data.content?.startsWith('before')).length;
    await expect.poll(() => [newest(first.frames).size, before()], { timeout: 20_000 }).toEqual([3, 2]);
    const firstFrames = [...first.frames];
    first.socket.terminate();
    await first.closed;
    for (const room of rooms) await say(`meanwhile, in ${room}`, room);

    const second = await connect(stack.url(1) + path);
    // What waits for members comes first, with cursors of its own.
    second.send({ type: 'ping' });
    await second.nextOfType('pong', 20_000);
    const cursors = [...newest([...firstFrames, ...second.frames]).values()];
    second.send({ type: 'resume', data: { cursors } });
    for (let count = 0; count < 3; count += 1) {
      const resumed = await second.nextOfType('resumed');
      expect(resumed.data.recovered).toBe(true);
    }
    for (const room of rooms) await say(`later, in ${room}`, room);
    const isEnd = ({ data }: Frame) => data?.done === true;
    // On a busy machine the answer may be over before the first connection is cut.
    const end = firstFrames.find(isEnd) ?? (await second.next(isEnd, 20_000));
    expect(end.data.response).toBe(`Echo: ${LONG}`);
    await expect
      .poll(() => second.frames.filter(({ data }) => data.content?.startsWith('later')).length)
      .toBe(2);
    const frames = [...firstFrames, ...second.frames];
    // A sender's own message may come back when they resume before it.
    const said = frames
      .filter(({ data }) => data?.role === 'user' && data.user_id === 'george')
      .map(({ data }) => data.content);
    const expected = ['before', 'meanwhile', 'later'].flatMap((when) =>
      rooms.map((room) => `${when}, in ${room}`),
    );
    expect(said.toSorted()).toEqual(expected.toSorted());
    const deltas = frames.filter(({ data }) => data?.streaming === true).map(({ data }) => data.content);
    expect(deltas.join('')).toBe(`Echo: ${LONG}`);
    await Promise.all([second.close(), george.close()]);
  });
});

describe('a cursor outside the window', () => {
  it('[resume/outside] recovered is false, then comes the transcript, then what is new', async () => {
    const token = await stack.token({ sub: 'harriet' });
    const room = 'outside';
    await createRoom(stack.httpUrl(), token, { room_id: room, room_type: 'shared', ai: 'never' });
    const speaker = new ResumingClient(roomsV1, { token, room });
    await speaker.open(stack.url(1));
    const clients = await Promise.all(
      CHAT_WIRES.map(async (wire) => {
        const client = new ResumingClient(wire, {
          token: await stack.token({ sub: `to ${wire.name}` }),
          room,
        });
        await client.open(stack.url(0));
        return client;
      }),
    );
    // So that each has a cursor; wires that greet nobody may miss the first ones.
    for (let count = 1; clients.some(({ cursor }) => cursor === ''); count += 1) {
      speaker.ask(`Hello ${count}`, `hello ${count}`);
      await speaker.until(() => speaker.probe.frames.filter(isConfirmation).length === count);
      for (const client of clients) await client.readRest();
    }
    await Promise.all(clients.map((client) => client.cut()));
    // A reader who missed more than 1,000 entries isn't told all of them (docs/reference/rooms-v1.md).
    const missed = 1_001;
    const before = speaker.probe.frames.filter(isConfirmation).length;
    for (let count = 1; count <= missed; count += 50) {
      for (let at = count; at < count + 50 && at <= missed; at += 1)
        speaker.ask(`Missed ${at}`, `missed ${at}`);
      const stored = before + Math.min(missed, count + 49);
      await speaker.until(() => speaker.probe.frames.filter(isConfirmation).length === stored);
    }
    await Promise.all(clients.map((client) => client.open(stack.url(1))));
    await Promise.all(clients.map((client) => client.until(() => client.heard.length === 100)));
    speaker.ask('The last one', 'last');
    await Promise.all(clients.map((client) => client.until(() => client.heard.length > 100)));
    for (const client of clients) {
      expect(client.recoveries).toEqual([false]);
      expect(client.faults).toEqual([]);
      expect(client.heard.map(({ text }) => text)).toEqual([
        ...Array.from({ length: 100 }, (_, at) => `Missed ${missed - 99 + at}`),
        'The last one',
      ]);
      await client.close();
    }
    await speaker.close();
  });
});

describe('cursors that may not be used', () => {
  /** What a connection with these cursors gets, until it has answered a question of its own. */
  async function tried(wire: ChatWire, token: string, resume: string): Promise<Frame[]> {
    const visit = { token, conversation: `tries ${random.between(0, 2 ** 40)}`, query: { resume, seq: '1' } };
    const probe = await connect(stack.url(1) + wire.path(visit), { timeoutMs: 30_000 });
    if (wire.name === 'session-v1') {
      expect(await probe.closing()).toMatchObject({ code: 4004 });
    } else {
      probe.send(wire.ask('Is anybody there?', 'tries', visit));
      await probe.next((frame) => [wire.read(frame)].flat().some((seen) => seen?.kind === 'end'), 20_000);
      await probe.close();
    }
    return probe.frames;
  }

  async function expectNothing(resume: string, token: string, secret: string): Promise<void> {
    await Promise.all(
      CHAT_WIRES.map(async (wire) => {
        const frames = await tried(wire, token, resume);
        const seen = frames.flatMap((frame) => wire.read(frame) ?? []);
        expect(seen.filter(({ kind }) => kind === 'refused')).toEqual([
          { kind: 'refused', code: 'CURSOR_UNKNOWN' },
        ]);
        expect(seen.filter(({ kind }) => kind === 'resumed' || kind === 'transcript')).toEqual([]);
        expect(JSON.stringify(frames)).not.toContain(secret);
      }),
    );
  }

  it('[resume/others] somebody else’s give nothing, in their conversations and in rooms they are not in', async () => {
    const ida = await stack.token({ sub: 'ida' });
    const eve = await stack.token({ sub: 'eve' });
    const own = new ResumingClient(roomsV1, { token: ida, conversation: 'of ida' });
    await own.open(stack.url(0));
    own.ask('My secret is green', 'secret');
    await own.until(() => own.ended.length === 1);
    await expectNothing(own.cursor, eve, 'green');

    await createRoom(stack.httpUrl(), ida, { room_id: 'group of ida', room_type: 'group', ai: 'never' });
    const grouped = new ResumingClient(roomsV1, { token: ida, room: 'group of ida' });
    await grouped.open(stack.url(0));
    const listener = new ResumingClient(chatV1, { token: ida, room: 'group of ida' });
    await listener.open(stack.url(0));
    grouped.ask('The group’s secret is blue', 'secret');
    await listener.until(() => listener.cursor !== '');
    await expectNothing(listener.cursor, eve, 'blue');
    await Promise.all([own.close(), grouped.close(), listener.close()]);
  });

  it('[resume/authorised] a member who was kicked or banned gets nothing for the cursors they have, nor anybody for those of a deleted room', async () => {
    const owner = await stack.token({ sub: 'jack' });
    const member = await stack.token({ sub: 'kate' });
    const url = stack.httpUrl();
    const thrownOut = [
      { room: 'of the kicked', out: () => kick(url, owner, 'of the kicked', 'kate') },
      { room: 'of the banned', out: () => ban(url, owner, 'of the banned', 'kate') },
      { room: 'of the deleted', out: () => deleteRoom(url, owner, 'of the deleted') },
    ];
    for (const { room, out } of thrownOut) {
      await createRoom(url, owner, { room_id: room, room_type: 'shared', ai: 'never' });
      const speaker = new ResumingClient(roomsV1, { token: owner, room });
      await speaker.open(stack.url(1));
      const client = new ResumingClient(roomsV1, { token: member, room });
      await client.open(stack.url(0));
      await client.until(() => client.probe.frames.some(({ type }) => type === 'join_room'));
      speaker.ask('You may hear this', 'may');
      await client.until(() => client.heard.length === 1);
      await client.cut();
      speaker.ask('The secret is crimson', 'secret');
      await speaker.until(() => speaker.probe.frames.filter(isConfirmation).length === 2);
      await out();
      await expectNothing(client.cursor, member, 'crimson');
      await speaker.close();
    }
  });

  it('[resume/forged] what is no cursor is an error and no more, and too many of them are refused', async () => {
    const token = await stack.token({ sub: 'lisa' });
    const forged = [
      'nonsense',
      'c1',
      'c1.lisa=x.0.0..0',
      'c1.lisa=x.0.0..0.0.0',
      'c1.lisa=x.-1.0..0.0',
      'c1.lisa=x.0.0.not-a-run.0.0',
      'c1.>.0.0..0.0',
      'c1.*=*.0.0..0.0',
      'c1.=lobby=.0.0..0.0',
      'c2.lisa=x.0.0..0.0',
      'c1.__proto__.0.0..0.0',
      '🙂',
      'c1.lisa=x.zzzzzzzzzzzz.0..0.0',
      'x'.repeat(2_000),
    ];
    for (const resume of forged) await expectNothing(resume, token, 'secret');
    const many = { token, query: { resume: Array(65).fill('x').join(',') } };
    const probe = await connect(stack.url() + chatV1.path(many));
    expect(await probe.nextOfType('error')).toMatchObject({ code: 'INVALID_FIELD' });
    await probe.close();
  });
});

function isConfirmation({ type }: Frame): boolean {
  return type === 'delivery_confirmation';
}
