/** Ids that mean something to the broker, to JavaScript or to a path, in every id field of rooms-v1. */
import { type Frame, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { reportFailures } from '../src/report-failures.ts';
import {
  ask,
  expectWholeInRoom,
  heard,
  join,
  openRooms,
  POWER,
  post,
  refusal,
  settled,
} from '../src/rooms-chat.ts';
import { roomPath, roomsCurl } from '../src/rooms-curl.ts';

/** Each is an id like any other. */
const STRANGE = [
  '>',
  '*',
  'a.b',
  '.',
  '..',
  '$JS.API.>',
  'ev.out.conv.>',
  '=secret=0',
  'owner=diary',
  '_3e',
  '🚗',
  '__proto__',
  'constructor',
  ' ',
  'a/b?c#d%2f',
  'null',
  '\u0000',
  '\r\n',
  'x'.repeat(128),
];
/** None is an id: too long, in characters or in bytes, or no text at all in UTF-8. */
const UNUSABLE = ['x'.repeat(10_240), 'x'.repeat(129), '🚗'.repeat(33), '\ud800'];

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    demo: { tokensPerSecond: 0, firstTokenMs: 0 },
    env: { WS_RATE_LIMIT_REQUESTS: '10000' },
  });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const open: Probe[] = [];
afterEach(() => Promise.all(open.splice(0).map((probe) => probe.close())));

async function enter(sub: string, gateway = 0, query: Record<string, string> = {}): Promise<Probe> {
  const probe = await openRooms(stack.url(gateway), await stack.token({ sub }), query);
  open.push(probe);
  return probe;
}

const curlOf = async (sub: string) => roomsCurl(stack.httpUrl(), await stack.token({ sub }));

/** Everything a client may name by an id, each frame with the id in one field. */
const FIELDS: Record<string, (id: unknown) => object> = {
  'chat room_id': (id) => ({ type: 'chat', data: { message: 'Hi' }, room_id: id }),
  'chat conversation_id': (id) => ({ type: 'chat', data: { message: 'Hi', conversation_id: id } }),
  'chat message_id': (id) => ({ type: 'chat', data: { message: 'Hi' }, message_id: id }),
  'join_room room_id': (id) => ({ type: 'join_room', data: { room_id: id } }),
  'leave_room room_id': (id) => ({ type: 'leave_room', data: { room_id: id } }),
  'typing room_id': (id) => ({ type: 'typing', data: { is_typing: true, room_id: id } }),
  'typing conversation_id': (id) => ({ type: 'typing', data: { is_typing: true, conversation_id: id } }),
  'read_receipt message_id': (id) => ({ type: 'read_receipt', data: { message_id: id } }),
  'read_receipt room_id': (id) => ({ type: 'read_receipt', data: { message_id: 'm', room_id: id } }),
  'read_receipt user_id': (id) => ({ type: 'read_receipt', data: { message_id: 'm', user_id: id } }),
  'edit_message message_id': (id) => ({ type: 'edit_message', data: { message_id: id, message: 'x' } }),
  'delete_message message_id': (id) => ({ type: 'delete_message', data: { message_id: id } }),
  'delete_message conversation_id': (id) => ({
    type: 'delete_message',
    data: { message_id: 'm', conversation_id: id },
  }),
  'cancel message_id': (id) => ({ type: 'cancel', data: { message_id: id } }),
  'cancel room_id': (id) => ({ type: 'cancel', data: { room_id: id } }),
  'cancel conversation_id': (id) => ({ type: 'cancel', data: { conversation_id: id } }),
  'kick user_id': (id) => ({ type: 'kick', data: { room_id: 'r', user_id: id } }),
  'invite room_id': (id) => ({ type: 'invite', data: { room_id: id, user_id: 'u' } }),
  'set_ai room_id': (id) => ({ type: 'set_ai', data: { room_id: id, ai: 'never' } }),
  'resume cursor': (id) => ({ type: 'resume', data: { cursor: id } }),
  'resume cursors': (id) => ({ type: 'resume', data: { cursors: [id] } }),
};

describe('an id of a room', () => {
  it.each(STRANGE)(
    '[ids/every-field] %j makes a room that works like any other, in frames and in paths',
    async (id) => {
      const [alice, bob] = [await enter('alice'), await enter('bob', 1)];
      await join(alice, id, { room_type: 'shared', ai: 'never' });
      await join(bob, id);
      const { data } = await post(alice, `In ${id}`, { room: id, id });
      expect(data).toMatchObject({ message_id: id, room_id: id });
      const got = await bob.next(({ data: { content } }) => content === `In ${id}`);
      expect(got.data).toMatchObject({ room_id: id, message_id: id, user_id: 'alice' });
      bob.send({ type: 'typing', data: { is_typing: true, room_id: id } });
      expect((await alice.nextOfType('typing')).data).toMatchObject({ user_id: 'bob', room_id: id });
      bob.send({ type: 'read_receipt', data: { message_id: id, user_id: 'alice' }, room_id: id });
      await alice.next(({ data: { status } }) => status === 'read');
      alice.send({ type: 'edit_message', data: { message_id: id, message: 'Edited' }, room_id: id });
      expect((await bob.nextOfType('message_edited')).data.id).toBe(data.id);
      const curl = await curlOf('alice');
      // Node's own URL takes `.` and `..` out of a path, escaped or not, before anybody asks.
      if (id !== '.' && id !== '..') {
        expect(await curl('GET', roomPath(id))).toMatchObject({
          status: 200,
          body: { room_id: id, room_type: 'shared', participants: ['alice', 'bob'] },
        });
        const { body } = await curl('GET', roomPath(id, '/messages'));
        expect(body.messages).toMatchObject([{ content: 'Edited', message_id: id, user_id: 'alice' }]);
        expect((await curl('DELETE', roomPath(id))).status).toBe(200);
        await bob.nextOfType('leave_room');
      }
      expect(heard(bob)).toEqual([`In ${id}`]);
    },
  );

  it.each(UNUSABLE)(
    '[ids/every-field] %$ is an error in every field, and the connection stays',
    async (id) => {
      const probe = await enter('alice');
      for (const [field, frameOf] of Object.entries(FIELDS)) {
        probe.send(frameOf(id));
        const { data } = await refusal(probe);
        const code = field.startsWith('resume') ? 'CURSOR_UNKNOWN' : 'INVALID_FIELD';
        expect([field, data.code]).toEqual([field, code]);
      }
      // The query of a URL is UTF-8: what is none arrives as U+FFFD.
      if (id.isWellFormed() && id.length < 1_000) {
        const queried = await enter('alice', 0, { room_id: id });
        expect((await refusal(queried)).data.code).toBe('INVALID_FIELD');
        expect(await (await curlOf('alice'))('GET', roomPath(id))).toMatchObject({ status: 400 });
      }
      const curl = await curlOf('alice');
      expect(await curl('POST', '/rooms', { room_id: id })).toMatchObject({
        status: id.length > 4_096 ? 413 : 400,
      });
      await settled(probe);
      expect(probe.closedWith).toBeNull();
    },
  );

  it('[ids/every-field] an empty one means none, or is an error where one is needed', async () => {
    const probe = await enter('empty');
    const needed = [
      'join_room room_id',
      'leave_room room_id',
      'invite room_id',
      'set_ai room_id',
      'kick user_id',
    ];
    needed.push('read_receipt message_id', 'edit_message message_id', 'delete_message message_id');
    for (const field of needed)
      for (const none of ['', null, undefined]) {
        probe.send(FIELDS[field]?.(none));
        expect([field, (await refusal(probe)).data.code]).toEqual([field, 'INVALID_FIELD']);
      }
    const data = { conversation_id: '' };
    const { end } = await ask(probe, POWER.question, { room: '', id: 'm-1', data });
    expect(end.data.conversation_id).toMatch(/^[0-9a-f-]{36}$/);
    const queried = await enter('empty', 0, { room_id: '', room_type: '', room_name: '', resume: '' });
    await settled(queried);
    expect(queried.frames.map(({ type }) => type)).toEqual(['connect', 'pong']);
    expect((await (await curlOf('empty'))('GET', '/rooms/')).status).toBe(404);
  });
});

describe('an id of a conversation', () => {
  it('[ids/every-field] that is strange is a conversation of its own, and only of its user', async () => {
    const [alice, bob] = [await enter('alice'), await enter('bob', 1)];
    for (const [index, conversation_id] of STRANGE.entries()) {
      const id = `${conversation_id}`.slice(0, 20);
      const asked = await ask(alice, `Question ${index}`, { id, data: { conversation_id } });
      expectWholeInRoom(asked);
      expect(asked.end.data).toMatchObject({ conversation_id, reply_to: id });
    }
    for (const [index, conversation_id] of STRANGE.entries()) {
      const recall = 'What was my first question?';
      const mine = await ask(alice, recall, { id: `recall-${index}`, data: { conversation_id } });
      expect(mine.end.data.response).toContain(`"Question ${index}"`);
      const other = await ask(bob, recall, { id: `recall-${index}`, data: { conversation_id } });
      expect(other.end.data.response).toContain('This is your first question');
    }
  });
});

describe('a spy with strange ids', () => {
  it('[ids/nobody-elses] in every field hears, changes and stops nothing of anybody else', async () => {
    const [owner, friend] = [await enter('owner'), await enter('friend', 1)];
    await join(owner, 'secret', { room_type: 'group', ai: 'never' });
    owner.send({ type: 'add_member', data: { room_id: 'secret', user_id: 'friend' } });
    await owner.nextOfType('add_member');
    await join(friend, 'secret');
    const first = await post(owner, 'secret 0', { room: 'secret', id: 'm' });
    const spies = [await enter('spy'), await enter('spy', 1)];
    // The run's id of a message, its room's key as it may be guessed, the owner's conversations.
    const ids = [...STRANGE, 'secret', 'owner', 'friend', first.data.id, `owner=secret`, 'm'];
    for (const [index, id] of ids.entries()) {
      for (const spy of spies) for (const frameOf of Object.values(FIELDS)) spy.send(frameOf(id));
      await post(owner, `secret ${index + 1}`, { room: 'secret', id: `m-${index}` });
      for (const spy of spies) await settled(spy);
    }
    const last = `secret ${ids.length}`;
    await friend.next(({ data }) => data.content === last);
    for (const spy of spies) {
      await settled(spy);
      const foreign = spy.frames.filter(
        (frame: Frame) =>
          JSON.stringify(frame).includes('secret 0') ||
          (frame.data?.user_id !== undefined && !['spy', 'assistant'].includes(frame.data.user_id)),
      );
      expect(foreign.filter(({ type }: Frame) => type !== 'kick' && type !== 'invite')).toEqual([]);
      expect(JSON.stringify(spy.frames)).not.toMatch(/secret \d/);
    }
    expect(heard(friend)).toHaveLength(ids.length + 1);
    const { body } = await (await curlOf('friend'))('GET', roomPath('secret', '/messages?limit=100'));
    expect(body.messages.map(({ content }: Frame) => content)).toEqual(
      Array.from({ length: ids.length + 1 }, (_, index) => `secret ${index}`),
    );
    expect((await (await curlOf('friend'))('GET', roomPath('secret'))).body.participants).toEqual([
      'owner',
      'friend',
    ]);
  });
});
