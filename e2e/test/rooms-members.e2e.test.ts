/** Who may be in a room, and who may put others in and out; on two gateways. */
import { type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_MS } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';
import { answerTo, heard, join, openRooms, POWER, post, refusal, say, settled } from '../src/rooms-chat.ts';
import { roomPath, roomsCurl } from '../src/rooms-curl.ts';

/** Within which a kick, a ban or a deletion reaches every gateway. */
const LIVE_MS = 1_000;
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

/** Sends a frame of a moderator and expects it to be done. */
async function moderate(probe: Probe, type: string, room_id: string, user_id: string): Promise<void> {
  probe.send({ type, data: { room_id, user_id } });
  const answer = await probe.next((frame) => frame.type === type || frame.type === 'error');
  expect(answer).toMatchObject({ type, data: { room_id, user_id, status: 'done' } });
}

async function refused(probe: Probe, frame: object): Promise<string> {
  probe.send(frame);
  return (await refusal(probe)).data.code;
}

const joinFrame = (room_id: string, more: object = {}) => ({
  type: 'join_room',
  data: { room_id, ...more },
});

describe('a group room', () => {
  it('[rooms/group] [rooms/group-membership] lets members in, and nobody else', async () => {
    const alice = await enter('alice');
    const bob = await enter('bob', 1);
    await join(alice, 'team', { room_type: 'group', ...NEVER });
    for (const room_type of ['group', 'shared'])
      expect(await refused(bob, joinFrame('team', { room_type }))).toBe('ROOM_DENIED');
    expect(await refused(bob, { type: 'typing', data: { is_typing: true }, room_id: 'team' })).toBe(
      'ROOM_DENIED',
    );
    await moderate(alice, 'invite', 'team', 'bob');
    await join(bob, 'team', { room_type: 'group' });
    await post(alice, 'Welcome', { room: 'team', id: 'm-1' });
    await bob.next(({ type, data }) => type === 'chat' && data.content === 'Welcome');
  });

  it('[rooms/moderation] is filled by its owner and admins, over both wires; members and strangers may not', async () => {
    const owner = await enter('owner');
    const member = await enter('member', 1);
    const stranger = await enter('stranger', 1);
    const admin = await enter('boss', 1, ['admin']);
    await join(owner, 'closed', { room_type: 'group', ...NEVER });
    await moderate(owner, 'add_member', 'closed', 'member');
    await join(member, 'closed');
    for (const type of ['invite', 'add_member', 'kick', 'ban', 'unban']) {
      const frame = { type, data: { room_id: 'closed', user_id: 'friend' } };
      expect([type, await refused(member, frame)]).toEqual([type, 'NOT_MODERATOR']);
      expect([type, await refused(stranger, frame)]).toEqual([type, 'ROOM_DENIED']);
    }
    const setAi = { type: 'set_ai', data: { room_id: 'closed', ai: 'always' } };
    expect(await refused(member, setAi)).toBe('NOT_MODERATOR');
    expect(await refused(stranger, setAi)).toBe('ROOM_DENIED');
    await moderate(admin, 'add_member', 'closed', 'friend');
    await join(await enter('friend'), 'closed', { room_type: 'group' });
    const http = roomsCurl(stack.httpUrl(), await stack.token({ sub: 'owner' }));
    expect(
      await http('POST', roomPath('closed', '/members'), { user_id: 'guest', invite: true }),
    ).toMatchObject({
      status: 200,
      body: { status: 'invited' },
    });
    await join(await enter('guest', 1), 'closed', { room_type: 'group' });
  });

  it('[rooms/kick] throws a member out of all their sockets on both gateways within a second', async () => {
    const owner = await enter('owner');
    const kicked = [await enter('kicked'), await enter('kicked', 1)];
    await join(owner, 'strict', { room_type: 'group', ...NEVER });
    await moderate(owner, 'add_member', 'strict', 'kicked');
    for (const probe of kicked) await join(probe, 'strict');
    await expectOut(kicked, 'removed', () => moderate(owner, 'kick', 'strict', 'kicked'));
    await post(owner, 'Behind their back', { room: 'strict', id: 'm-1' });
    for (const probe of kicked) {
      expect(await refused(probe, joinFrame('strict', { room_type: 'group' }))).toBe('ROOM_DENIED');
      expect(heard(probe)).toEqual([]);
    }
    await moderate(owner, 'invite', 'strict', 'kicked');
    for (const probe of kicked) await join(probe, 'strict', { room_type: 'group' });
  });

  it('[rooms/ban] throws out as fast who may not come back until unbanned, also of a shared room', async () => {
    const owner = await enter('owner');
    const banned = [await enter('banned'), await enter('banned', 1)];
    for (const probe of [owner, ...banned]) await join(probe, 'public', { room_type: 'shared', ...NEVER });
    await expectOut(banned, 'banned', () => moderate(owner, 'ban', 'public', 'banned'));
    await post(owner, 'Peace at last', { room: 'public', id: 'm-1' });
    for (const probe of banned) {
      expect(await refused(probe, joinFrame('public', { room_type: 'shared' }))).toBe('ROOM_DENIED');
      expect(heard(probe)).toEqual([]);
    }
    expect(await refused(owner, { type: 'invite', data: { room_id: 'public', user_id: 'banned' } })).toBe(
      'INVALID_FIELD',
    );
    expect(
      await refused(banned[0] as Probe, { type: 'ban', data: { room_id: 'public', user_id: 'owner' } }),
    ).toBe('ROOM_DENIED');
    await moderate(owner, 'unban', 'public', 'banned');
    await join(banned[1] as Probe, 'public', { room_type: 'shared' });
  });
});

/** What is done takes all of them out within a second of its confirmation, and says why. */
async function expectOut(probes: readonly Probe[], reason: string, act: () => Promise<void>): Promise<void> {
  const out = probes.map(async (probe) => {
    const frame = await probe.nextOfType('leave_room');
    return { frame, at: performance.now() };
  });
  await act();
  const doneAt = performance.now();
  for (const { frame, at } of await Promise.all(out)) {
    expect(frame.data).toMatchObject({ reason });
    expect(at - doneAt).toBeLessThan(LIVE_MS);
  }
}

describe('the life of a room', () => {
  it('[rooms/compare-and-set] two who make one room at once: one of them gets it', async () => {
    const makers = await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        const token = await stack.token({ sub: `maker-${index}` });
        return roomsCurl(stack.httpUrl(index % 2), token);
      }),
    );
    const body = { room_id: 'contested', room_type: 'group' };
    const replies = await Promise.all(makers.map((http) => http('POST', '/rooms', body)));
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
    const winner = replies.findIndex(({ status }) => status === 201);
    const seen = await Promise.all(makers.map((http) => http('GET', roomPath('contested'))));
    for (const [index, { status, body: room }] of seen.entries()) {
      expect([index, status]).toEqual([index, index === winner ? 200 : 403]);
      if (index === winner) expect(room.owner).toBe(`maker-${winner}`);
    }
  });

  it('[rooms/compare-and-set] many who join a new shared room at once are in one and the same', async () => {
    const probes = await Promise.all(
      Array.from({ length: 6 }, (_, index) => enter(`joiner-${index}`, index % 2)),
    );
    const joined = await Promise.all(
      probes.map((probe) => join(probe, 'rush', { room_type: 'shared', ...NEVER })),
    );
    expect(joined.filter(({ data }) => data.role === 'owner')).toHaveLength(1);
    const [first, ...others] = probes as [Probe, ...Probe[]];
    await post(first, 'All here?', { room: 'rush', id: 'm-1' });
    for (const probe of others)
      await probe.next(({ type, data }) => type === 'chat' && data.content === 'All here?');
  });

  it('[rooms/management] [rooms/deleted-live] a deleted room ends for all who are in it, and its name tells nothing of it later', async () => {
    const alice = await enter('alice');
    const bob = await enter('bob', 1);
    for (const probe of [alice, bob]) await join(probe, 'doomed', { room_type: 'shared', ...NEVER });
    await post(alice, 'The old secret', { room: 'doomed', id: 'm-1' });
    await bob.next(({ type, data }) => type === 'chat' && data.content === 'The old secret');
    const [owner, member] = [
      roomsCurl(stack.httpUrl(), await stack.token({ sub: 'alice' })),
      roomsCurl(stack.httpUrl(1), await stack.token({ sub: 'bob' })),
    ];
    await expectOut([alice, bob], 'deleted', async () => {
      expect(await owner('DELETE', roomPath('doomed'))).toEqual({
        status: 200,
        body: { room_id: 'doomed', status: 'deleted' },
      });
    });
    for (const http of [owner, member])
      for (const rest of ['', '/messages'])
        expect((await http('GET', roomPath('doomed', rest))).status).toBe(403);
    expect(
      await refused(alice, { type: 'read_receipt', data: { message_id: 'm-1' }, room_id: 'doomed' }),
    ).toBe('ROOM_DENIED');
    await join(bob, 'doomed', { room_type: 'shared', ...NEVER });
    await join(alice, 'doomed', { room_type: 'shared' });
    const page = await member('GET', roomPath('doomed', '/messages'));
    expect(page).toEqual({ status: 200, body: { room_id: 'doomed', messages: [], next_before: null } });
    await settled(alice);
    expect(heard(alice)).toEqual([]);
    expect(heard(bob)).toEqual(['The old secret']);
  });
});

describe('an answer under way', () => {
  /** Texts of the answer that a connection was shown. */
  const deltas = (probe: Probe) => probe.frames.filter(({ data }) => data.streaming === true).length;

  it('[rooms/kick] ends for who is kicked, and for nobody else', async () => {
    await stack.demo.behave({ tokensPerSecond: 15 });
    const [owner, kicked] = [await enter('owner'), await enter('kicked', 1)];
    for (const probe of [owner, kicked]) await join(probe, 'cut off', { room_type: 'shared' });
    say(kicked, POWER.question, { room: 'cut off', id: 'q-1' });
    for (const probe of [owner, kicked]) await probe.next(({ data }) => data.streaming === true, ANSWER_MS);
    await moderate(owner, 'kick', 'cut off', 'kicked');
    await kicked.nextOfType('leave_room');
    const shown = kicked.frames.length;
    const { end, deltas: texts } = await answerTo(owner, 'q-1');
    await stack.demo.behave({ tokensPerSecond: 300 });
    expect(texts.join('')).toBe(end.data.response);
    await settled(kicked);
    expect(kicked.frames.slice(shown).map(({ type }) => type)).toEqual(['pong']);
    expect(deltas(kicked)).toBeLessThan(deltas(owner));
  });

  it('[rooms/deleted-live] ends with its room, and nothing of it comes in a new one of that id', async () => {
    await stack.demo.behave({ tokensPerSecond: 15 });
    const [alice, bob] = [await enter('alice'), await enter('bob', 1)];
    for (const probe of [alice, bob]) await join(probe, 'reborn', { room_type: 'shared' });
    say(alice, POWER.question, { room: 'reborn', id: 'q-1' });
    for (const probe of [alice, bob]) await probe.next(({ data }) => data.streaming === true, ANSWER_MS);
    const curl = roomsCurl(stack.httpUrl(), await stack.token({ sub: 'alice' }));
    await curl('DELETE', roomPath('reborn'));
    for (const probe of [alice, bob]) await probe.nextOfType('leave_room');
    const shown = bob.frames.length;
    await join(bob, 'reborn', { room_type: 'shared' });
    await stack.demo.behave({ tokensPerSecond: 300 });
    // Answered by the agent that was busy with the old room's question.
    say(bob, 'What was my first question?', { room: 'reborn', id: 'q-2' });
    const { end } = await answerTo(bob, 'q-2');
    expect(end.data.response).toContain('This is your first question');
    const later = bob.frames
      .slice(shown)
      .filter(({ data }) => data.message_id === 'q-1' || data.reply_to === 'q-1');
    expect(later).toEqual([]);
    await settled(alice);
    expect(alice.frames.at(-1)).toMatchObject({ type: 'pong' });
    expect(alice.frames.at(-2)).toMatchObject({ type: 'leave_room' });
  });
});

describe('a connection that is gone', () => {
  it('[rooms/connection-cleanup] leaves rooms, presence and statistics', async () => {
    const http = roomsCurl(stack.httpUrl(1), await stack.token({ sub: 'admin', roles: ['admin'] }));
    const connections = async () => (await http('GET', '/stats')).body.active_connections;
    // Those of the tests before this one are being closed.
    await expect.poll(connections).toBe(0);
    const watcher = await enter('watcher', 1);
    const leaver = await enter('leaver');
    for (const probe of [watcher, leaver]) await join(probe, 'cleanup', { room_type: 'shared', ...NEVER });
    const connection = leaver.frames[0].data.connection_id;
    expect((await http('GET', `/connections/${connection}`)).status).toBe(200);
    say(leaver, 'Bye', { room: 'cleanup' });
    await watcher.next(({ type, data }) => type === 'chat' && data.content === 'Bye');
    leaver.socket.terminate();
    expect(
      await watcher.next(({ type, data }) => type === 'presence' && data.status === 'offline'),
    ).toMatchObject({ data: { user_id: 'leaver' } });
    expect((await http('GET', roomPath('cleanup'))).body.online).toEqual(['watcher']);
    expect((await http('GET', `/connections/${connection}`)).status).toBe(404);
    expect((await http('GET', '/user/leaver/connections')).body).toMatchObject({ count: 0 });
    expect(await connections()).toBe(1);
  });
});
