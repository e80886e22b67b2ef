/** People and the AI in rooms: joining, leaving, what everybody sees; on two gateways. */
import { type Frame, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { reportFailures } from '../src/report-failures.ts';
import {
  answerTo,
  ask,
  expectWholeInRoom,
  heard,
  join,
  openRooms,
  POWER,
  post,
  settled,
} from '../src/rooms-chat.ts';
import { roomPath, roomsCurl } from '../src/rooms-curl.ts';

const NEVER = { ai: 'never' };

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ gateways: 2, demo: { tokensPerSecond: 300, firstTokenMs: 0 } });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const open: Probe[] = [];
afterEach(() => Promise.all(open.splice(0).map((probe) => probe.close())));

async function enter(sub: string, gateway = 0, roles: string[] = []): Promise<Probe> {
  const token = await stack.token({ sub, name: `${sub} of rooms`, roles });
  const probe = await openRooms(stack.url(gateway), token);
  open.push(probe);
  return probe;
}

describe('joining', () => {
  it('[rooms/frame-join] [rooms/frame-joined] is confirmed with the room and who is there', async () => {
    const alice = await enter('alice');
    const bob = await enter('bob', 1);
    const data = { room_name: 'My Chat Room', room_type: 'shared' };
    await join(alice, 'room-123', data);
    const joined = await join(bob, 'room-123', data);
    expect(joined).toEqual({
      type: 'join_room',
      data: {
        room_id: 'room-123',
        room_name: 'My Chat Room',
        room_type: 'shared',
        participants: expect.arrayContaining(['alice', 'bob']),
        participants_info: expect.arrayContaining([
          { user_id: 'alice', username: 'alice of rooms' },
          { user_id: 'bob', username: 'bob of rooms' },
        ]),
        joined_at: expect.stringMatching(/^\d{4}-.*Z$/),
        role: 'member',
        ai: 'always',
      },
    });
    expect(joined.data.participants).toHaveLength(2);
    expect(await join(bob, 'room-123')).toMatchObject({ data: { room_type: 'shared' } });
  });

  it('[rooms/frame-leave] is undone by leaving: nothing more of the room comes, on any device', async () => {
    const alice = await enter('alice');
    const [bob, bobsOther] = [await enter('bob'), await enter('bob', 1)];
    for (const probe of [alice, bob, bobsOther]) await join(probe, 'left', { room_type: 'shared', ...NEVER });
    bob.send({ type: 'leave_room', data: { room_id: 'left' } });
    for (const probe of [bob, bobsOther])
      expect(await probe.nextOfType('leave_room')).toMatchObject({
        data: { room_id: 'left', reason: 'left' },
      });
    await post(alice, 'Are you gone?', { room: 'left', id: 'm-1' });
    const back = await enter('bob', 1);
    await join(back, 'left');
    // Joined anew after the message: it waited for nobody.
    for (const probe of [bob, bobsOther, back]) {
      await settled(probe);
      expect(heard(probe)).toEqual([]);
    }
    expect(bob.frames.filter(({ type }) => type === 'leave_room')).toHaveLength(1);
  });
});

describe('a private room', () => {
  it('[rooms/private] [rooms/private-default] [rooms/private-any-user] is what a room is without a type, and each user has their own', async () => {
    const alice = await enter('alice');
    const bob = await enter('bob');
    for (const probe of [alice, bob])
      expect(await join(probe, 'mine')).toMatchObject({ data: { room_type: 'private', role: 'owner' } });
    const { end } = await ask(alice, POWER.question, { room: 'mine', id: 'm-1' });
    expect(end.data.response).toMatch(POWER.answer);
    const asked = await ask(bob, 'What was my first question?', { room: 'mine', id: 'm-1' });
    expect(asked.end.data.response).toContain('This is your first question');
    expect(heard(bob)).toEqual([]);
  });
});

describe('two rooms of one id', () => {
  it('are never both joined on a connection: what is said goes to the one joined last', async () => {
    const [tess, tom] = [await enter('tess'), await enter('tom', 1)];
    await join(tess, 'twin', NEVER);
    await join(tom, 'twin', { room_type: 'shared', ...NEVER });
    await post(tess, 'To myself', { room: 'twin', id: 'm-1' });
    expect(await join(tess, 'twin', { room_type: 'shared' })).toMatchObject({ data: { role: 'member' } });
    await post(tess, 'To all', { room: 'twin', id: 'm-2' });
    await tom.next(({ data }) => data.content === 'To all');
    expect(await join(tess, 'twin', { room_type: 'private' })).toMatchObject({ data: { role: 'owner' } });
    await post(tess, 'To myself again', { room: 'twin', id: 'm-3' });
    await post(tom, 'To all, again', { room: 'twin', id: 'm-1' });
    for (const probe of [tess, tom]) await settled(probe);
    expect(heard(tom)).toEqual(['To all']);
    expect(heard(tess)).toEqual([]);
  });
});

describe('a shared room', () => {
  it('[rooms/shared] [rooms/shared-any-user] [rooms/user-message] [rooms/everybody-sees] [rooms/room-broadcast] is open to every user, and all see question and stream', async () => {
    const alice = await enter('alice');
    const others = [await enter('bob'), await enter('carol', 1)];
    for (const probe of [alice, ...others]) await join(probe, 'open', { room_type: 'shared' });
    const asked = await ask(alice, POWER.question, { room: 'open', id: 'q-1' });
    expectWholeInRoom(asked);
    for (const probe of others) {
      const question = await probe.next(({ type, data }) => type === 'chat' && data.role === 'user');
      expect(question).toEqual({
        type: 'chat',
        data: {
          role: 'user',
          content: POWER.question,
          user_id: 'alice',
          username: 'alice of rooms',
          message_id: 'q-1',
          id: asked.end.data.id,
          timestamp: expect.stringMatching(/Z$/),
          // The log and the run both tell of a question; only the first knows its place.
          position: question.data.position,
          conversation_id: 'open',
          room_id: 'open',
        },
      });
      const seen = await answerTo(probe, 'q-1');
      expectWholeInRoom(seen);
      expect(seen.end.data.response).toBe(asked.end.data.response);
      expect(heard(probe)).toEqual([POWER.question]);
    }
    expect(heard(alice)).toEqual([]);
  });

  it('[rooms/frame-typing] [rooms/frame-typing-seen] [rooms/typing-both] [rooms/ai-typing] shows who types: people to the others, the AI to all', async () => {
    const alice = await enter('alice');
    const bob = await enter('bob', 1);
    for (const probe of [alice, bob]) await join(probe, 'typing', { room_type: 'shared' });
    for (const is_typing of [true, false]) {
      alice.send({ type: 'typing', data: { is_typing, room_id: 'typing' } });
      expect(await bob.nextOfType('typing')).toEqual({
        type: 'typing',
        data: {
          user_id: 'alice',
          username: 'alice of rooms',
          is_typing,
          room_id: 'typing',
          conversation_id: 'typing',
        },
      });
    }
    const { typing } = await ask(bob, POWER.question, { room: 'typing', id: 'q-1' });
    for (const [index, is_typing] of [true, false].entries())
      expect(typing[index]).toEqual({
        type: 'typing',
        data: {
          user_id: 'assistant',
          username: 'AI Assistant',
          is_typing,
          room_id: 'typing',
          conversation_id: 'typing',
          id: expect.any(String),
        },
      });
    expect((await answerTo(alice, 'q-1')).typing).toHaveLength(2);
    // Nobody is told of their own typing.
    expect(alice.frames.filter(({ data }) => data.user_id === 'alice' && 'is_typing' in data)).toEqual([]);
  });

  it('[rooms/typing-both] is described with who types in it, and counted', async () => {
    const alice = await enter('alice');
    const bob = await enter('bob', 1);
    for (const probe of [alice, bob]) await join(probe, 'typists', { room_type: 'shared' });
    const http = roomsCurl(stack.httpUrl(1), await stack.token({ sub: 'admin', roles: ['admin'] }));
    const typing = async () => (await http('GET', roomPath('typists'))).body.typing_users;
    alice.send({ type: 'typing', data: { is_typing: true, room_id: 'typists' } });
    await bob.nextOfType('typing');
    expect(await typing()).toEqual(['alice']);
    expect((await http('GET', '/stats')).body.typing_indicators).toBe(1);
    alice.send({ type: 'typing', data: { is_typing: false, room_id: 'typists' } });
    await bob.nextOfType('typing');
    expect(await typing()).toEqual([]);
  });

  it('[rooms/read-receipt] [rooms/receipts] confirms a message to its sender, and tells all who has read it', async () => {
    const alice = await enter('alice');
    const bob = await enter('bob', 1);
    for (const probe of [alice, bob]) await join(probe, 'read', { room_type: 'shared', ...NEVER });
    const confirmed = await post(alice, 'Read this', { room: 'read', id: 'm-1' });
    expect(confirmed.data.status).toBe('delivered');
    await bob.next(({ type, data }) => type === 'chat' && data.content === 'Read this');
    // As PROTOCOLS has it: the message alone, and the room beside it.
    bob.send({ type: 'read_receipt', data: { message_id: 'm-1' }, room_id: 'read' });
    for (const probe of [alice, bob]) {
      const receipt = await probe.next(({ data }) => data.status === 'read');
      expect(receipt).toEqual({
        type: 'delivery_confirmation',
        data: {
          message_id: 'm-1',
          id: confirmed.data.id,
          status: 'read',
          user_id: 'bob',
          username: 'bob of rooms',
          message_user_id: 'alice',
          timestamp: expect.stringMatching(/Z$/),
          position: expect.any(Number),
          conversation_id: 'read',
          room_id: 'read',
        },
      });
    }
  });
});

describe('the AI in a room', () => {
  const roomOf = async (room: string, more: object): Promise<[Probe, Probe]> => {
    const [alice, bob] = [await enter('alice'), await enter('bob', 1)];
    for (const probe of [alice, bob]) await join(probe, room, { room_type: 'shared', ...more });
    return [alice, bob];
  };
  const ends = (probe: Probe): Frame[] =>
    probe.frames.filter(({ type, data }) => type === 'chat' && data.done === true);

  it('[rooms/ai-always] answers every message by default', async () => {
    const [alice, bob] = await roomOf('always', {});
    await ask(alice, POWER.question, { room: 'always', id: 'a-1' });
    await ask(bob, 'How big is the boot?', { room: 'always', id: 'b-1' });
    expect(ends(bob).map(({ data }) => data.reply_to)).toEqual(['a-1', 'b-1']);
  });

  it('[rooms/ai-mention] answers only what mentions it, where the room says so', async () => {
    const [alice, bob] = await roomOf('mention', { ai: 'mention' });
    for (const [index, text] of ['Hi Bob', 'mail me@ai.example', '@aisha knows'].entries())
      await post(alice, text, { room: 'mention', id: `a-${index}` });
    for (const [index, text] of [`@ai ${POWER.question}`, `${POWER.question} (@Assistant)`].entries())
      expectWholeInRoom(await ask(bob, text, { room: 'mention', id: `b-${index}` }));
    expect(heard(bob)).toEqual(['Hi Bob', 'mail me@ai.example', '@aisha knows']);
    // Answers of a room come in the order of its messages: an earlier one would be here by now.
    expect(ends(bob).map(({ data }) => data.reply_to)).toEqual(['b-0', 'b-1']);
  });

  it('[rooms/ai-never] answers nothing, where the room says so, until a moderator says otherwise', async () => {
    const [alice, bob] = await roomOf('never', NEVER);
    await post(alice, `@ai ${POWER.question}`, { room: 'never', id: 'a-1' });
    alice.send({ type: 'set_ai', data: { room_id: 'never', ai: 'always' } });
    expect(await alice.nextOfType('set_ai')).toMatchObject({ data: { status: 'done' } });
    const http = roomsCurl(stack.httpUrl(1), await stack.token({ sub: 'bob' }));
    await expect.poll(async () => (await http('GET', roomPath('never'))).body.ai).toBe('always');
    await ask(alice, POWER.question, { room: 'never', id: 'a-2' });
    await answerTo(bob, 'a-2');
    expect(ends(bob).map(({ data }) => data.reply_to)).toEqual(['a-2']);
    expect(bob.frames.filter(({ type }) => type === 'typing')).toHaveLength(2);
  });
});
