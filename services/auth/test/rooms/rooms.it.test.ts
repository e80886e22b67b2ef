import { conversationKey, Room } from '@natter/proto';
import type { NatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { asker } from './asker.ts';
import { brokerWithBuckets, connectAs, roomsUnderTest } from './rooms-under-test.ts';

let server: NatsServer;
beforeAll(async () => {
  server = await brokerWithBuckets();
});
afterAll(() => server.stop());

const alice = asker('alice');
const bob = asker('bob');
const unset = { name: null, ai: null };
const joining = { op: 'join', type: null, ...unset } as const;
const creating = { op: 'create', ...unset } as const;

/** What gateways hear of a room: the last part of the subject and the body. */
async function heard(subject: string): Promise<{ kind: string | undefined; body: string }[]> {
  const gateway = await connectAs(server, 'gateway');
  onTestFinished(() => gateway.close());
  const messages: { kind: string | undefined; body: string }[] = [];
  gateway.subscribe(subject, ({ subject, data }) =>
    messages.push({ kind: subject.split('.').slice(4).join('.'), body: Buffer.from(data).toString() }),
  );
  // Answered by the broker once it has the subscription.
  await gateway.hasStream('TURNS');
  return messages;
}

it('gives each user a private room of their own under an id that is nobody’s', async () => {
  const { granted } = await roomsUnderTest(server);
  const [mine] = (await granted({ ...joining, who: alice, id: 'diary' })).rooms;
  const [theirs] = (await granted({ ...joining, who: bob, id: 'diary' })).rooms;
  expect(mine).toMatchObject({ role: 'owner', created: true, joined: true });
  expect(mine?.room).toMatchObject({
    key: conversationKey('alice', 'diary'),
    id: 'diary',
    name: 'diary',
    type: 'private',
    ai: 'always',
    owner: 'alice',
  });
  expect(theirs?.room.key).toBe(conversationKey('bob', 'diary'));
  const again = await granted({ ...joining, who: alice, id: 'diary' });
  expect(again.rooms[0]).toMatchObject({ room: mine?.room, created: false, joined: false });
  const got = await granted({ op: 'get', who: alice, id: 'diary' });
  expect(got.members).toMatchObject([{ sub: 'alice', role: 'owner', state: 'member' }]);
});

it('makes a shared room for the first who joins, and lets others in by its id alone', async () => {
  const { granted, code } = await roomsUnderTest(server);
  const made = await granted({ ...joining, who: alice, id: 'lobby', type: 'shared', name: 'The lobby' });
  expect(made.rooms[0]).toMatchObject({ role: 'owner', created: true, joined: true });
  expect(await code({ op: 'get', who: bob, id: 'lobby' })).toBe('ROOM_DENIED');
  const joined = await granted({ ...joining, who: bob, id: 'lobby' });
  expect(joined.rooms[0]).toMatchObject({
    room: { type: 'shared', name: 'The lobby', owner: 'alice' },
    role: 'member',
    created: false,
    joined: true,
  });
  // Ten thousand who come back would be told of a thousand each.
  expect(joined).not.toHaveProperty('members');
  const got = await granted({ op: 'get', who: bob, id: 'lobby' });
  expect(got.members?.map(({ sub, name, role }) => [sub, name, role])).toEqual([
    ['alice', 'ALICE', 'owner'],
    ['bob', 'BOB', 'member'],
  ]);
});

it('keeps a private room private when somebody makes a shared one of its id', async () => {
  const { granted } = await roomsUnderTest(server);
  const [before] = (await granted({ ...joining, who: alice, id: 'default' })).rooms;
  await granted({ ...creating, who: bob, id: 'default', type: 'group' });
  // Being added is not one's own choice either.
  await granted({ op: 'add', who: bob, id: 'default', user: 'alice' });
  const [after] = (await granted({ ...joining, who: alice, id: 'default' })).rooms;
  expect(after?.room).toEqual(before?.room);
  const [chosen] = (await granted({ ...joining, who: alice, id: 'default', type: 'group' })).rooms;
  expect(chosen?.room).toMatchObject({ type: 'group', owner: 'bob' });
  const [since] = (await granted({ ...joining, who: alice, id: 'default' })).rooms;
  expect(since?.room).toEqual(chosen?.room);
});

it('falls back to a private room where the other is not for the asker, but not when a type is named', async () => {
  const { granted, code } = await roomsUnderTest(server);
  await granted({ ...creating, who: bob, id: 'board', type: 'group' });
  for (const type of ['shared', 'group'] as const)
    expect(await code({ ...joining, who: alice, id: 'board', type })).toBe('ROOM_DENIED');
  const [own] = (await granted({ ...joining, who: alice, id: 'board' })).rooms;
  expect(own?.room).toMatchObject({ type: 'private', owner: 'alice' });
});

it('says of a group it denies what it says of a room that does not exist', async () => {
  const { granted, ask } = await roomsUnderTest(server);
  await granted({ ...creating, who: bob, id: 'secret', type: 'group' });
  for (const op of ['get', 'delete', 'leave'] as const) {
    const forbidden = await ask({ op, who: alice, id: 'secret' });
    expect(forbidden).toEqual({ ok: false, code: 'ROOM_DENIED' });
    expect(await ask({ op, who: alice, id: 'missing' })).toEqual(forbidden);
  }
  for (const op of ['invite', 'add', 'kick', 'ban', 'unban'] as const) {
    const forbidden = await ask({ op, who: alice, id: 'secret', user: 'bob' });
    expect(forbidden).toEqual({ ok: false, code: 'ROOM_DENIED' });
    expect(await ask({ op, who: alice, id: 'missing', user: 'bob' })).toEqual(forbidden);
  }
});

it('has no room for sessions without a token, not even a private one', async () => {
  const { granted, code } = await roomsUnderTest(server);
  const nobody = asker('natter:session:0123456789abcdef0123456789abcdef');
  const [open] = (await granted({ ...creating, who: alice, id: 'open', type: 'shared' })).rooms;
  expect(await code({ ...joining, who: nobody, id: 'open', type: 'shared' })).toBe('ROOM_DENIED');
  expect(await code({ ...joining, who: nobody, id: 'own' })).toBe('ROOM_DENIED');
  expect(await code({ ...creating, who: nobody, id: 'theirs', type: 'shared' })).toBe('ROOM_DENIED');
  // Added by somebody who knows the name of the session.
  await granted({ op: 'add', who: alice, id: 'open', user: nobody.sub });
  expect(await code({ op: 'access', who: nobody, keys: [open?.room.key ?? ''] })).toBe('ROOM_DENIED');
  const master = asker('natter:master', { admin: true });
  expect(await code({ ...joining, who: master, id: 'open', type: 'shared' })).toBe('ok');
});

it('creates no room twice, of however many who try at once', async () => {
  const services = await Promise.all([roomsUnderTest(server), roomsUnderTest(server)]);
  const users = Array.from({ length: 12 }, (_, index) => asker(`racer${index}`));
  const replies = await Promise.all(
    users.map((who, index) => {
      const service = services[index % 2] as (typeof services)[0];
      return service.ask({ ...creating, who, id: 'race', type: 'shared' });
    }),
  );
  expect(replies.filter(({ ok }) => ok)).toHaveLength(1);
  expect(replies.filter((reply) => !reply.ok && reply.code === 'ROOM_EXISTS')).toHaveLength(11);
});

it('brings everybody who joins a new room at once into one and the same', async () => {
  const services = await Promise.all([roomsUnderTest(server), roomsUnderTest(server)]);
  const users = Array.from({ length: 12 }, (_, index) => asker(`crowd${index}`));
  const replies = await Promise.all(
    users.map((who, index) => {
      const service = services[index % 2] as (typeof services)[0];
      return service.granted({ ...joining, who, id: 'crowd', type: 'shared' });
    }),
  );
  expect(new Set(replies.map(({ rooms }) => rooms[0]?.room.key)).size).toBe(1);
  expect(replies.filter(({ rooms }) => rooms[0]?.created)).toHaveLength(1);
  const { members } = await services[0].granted({ op: 'get', who: users[0] as typeof alice, id: 'crowd' });
  expect(new Set(members?.map(({ sub }) => sub))).toEqual(new Set(users.map(({ sub }) => sub)));
});

it('lets the owner and admins change and delete a room, and tells other members that they may not', async () => {
  const { granted, code } = await roomsUnderTest(server);
  const admin = asker('ada', { admin: true });
  await granted({ ...creating, who: alice, id: 'office', type: 'shared' });
  await granted({ ...joining, who: bob, id: 'office' });
  expect(await code({ op: 'update', who: bob, id: 'office', name: 'Mine' })).toBe('NOT_MODERATOR');
  expect(await code({ op: 'delete', who: bob, id: 'office' })).toBe('NOT_MODERATOR');
  const [renamed] = (await granted({ op: 'update', who: alice, id: 'office', name: 'HQ' })).rooms;
  expect(renamed?.room).toMatchObject({ name: 'HQ', ai: 'always' });
  const [quiet] = (await granted({ op: 'update', who: admin, id: 'office', ai: 'never' })).rooms;
  expect(quiet?.room).toMatchObject({ name: 'HQ', ai: 'never' });
  await granted({ op: 'delete', who: admin, id: 'office' });
  expect(await code({ op: 'get', who: alice, id: 'office' })).toBe('ROOM_DENIED');
});

it('gives a room that was deleted and made anew another key, so nobody reads the old one', async () => {
  const { granted, code } = await roomsUnderTest(server);
  const [old] = (await granted({ ...creating, who: alice, id: 'phoenix', type: 'shared' })).rooms;
  await granted({ op: 'delete', who: alice, id: 'phoenix' });
  expect(await code({ op: 'delete', who: alice, id: 'phoenix' })).toBe('ROOM_DENIED');
  const [made] = (await granted({ ...creating, who: bob, id: 'phoenix', type: 'shared' })).rooms;
  expect(made?.room.key).not.toBe(old?.room.key);
  const keys = [old?.room.key ?? '', made?.room.key ?? ''];
  expect((await granted({ op: 'access', who: alice, keys })).rooms).toEqual([]);
  expect((await granted({ op: 'access', who: bob, keys })).rooms.map(({ room }) => room)).toEqual([
    made?.room,
  ]);
});

it('makes a room of which a dead service left only the index', async () => {
  const { bus, granted } = await roomsUnderTest(server);
  const bucket = await bus.bucket('rooms');
  await bucket.create('id.half', JSON.stringify({ life: 'gone' }));
  const [made] = (await granted({ ...creating, who: alice, id: 'half', type: 'shared' })).rooms;
  expect(made).toMatchObject({ created: true });
  const got = await granted({ op: 'get', who: alice, id: 'half' });
  expect(got.rooms[0]?.room).toEqual(made?.room);
});

it('tells gateways of a change and of the end of a room, and of what each user became', async () => {
  const { granted } = await roomsUnderTest(server);
  const [made] = (await granted({ ...creating, who: alice, id: 'news', type: 'shared' })).rooms;
  const events = await heard(`ev.out.conv.${made?.room.key}.>`);
  await granted({ ...joining, who: bob, id: 'news' });
  await granted({ op: 'update', who: alice, id: 'news', name: 'Gazette' });
  await granted({ op: 'ban', who: alice, id: 'news', user: 'bob' });
  await granted({ op: 'delete', who: alice, id: 'news' });
  await expect.poll(() => events.length).toBe(4);
  expect(events.map(({ kind }) => kind)).toEqual(['member.bob', 'room', 'member.bob', 'room']);
  expect(JSON.parse(events[0]?.body ?? '')).toMatchObject({ sub: 'bob', state: 'member' });
  expect(Room.parse(JSON.parse(events[1]?.body ?? ''))).toMatchObject({ name: 'Gazette' });
  expect(JSON.parse(events[2]?.body ?? '')).toMatchObject({ sub: 'bob', state: 'banned', by: 'alice' });
  expect(events[3]?.body).toBe('');
});

it('deletes a private room for its owner only', async () => {
  const { granted, code } = await roomsUnderTest(server);
  await granted({ ...joining, who: alice, id: 'own' });
  expect(await code({ op: 'delete', who: asker('ada', { admin: true }), id: 'own' })).toBe('ROOM_DENIED');
  await granted({ op: 'delete', who: alice, id: 'own' });
  expect(await code({ op: 'get', who: alice, id: 'own' })).toBe('ROOM_DENIED');
});

it.each(['>', '*', 'a.b', '$JS.API.>', '😀', '__proto__', 'a=b', ' ', 'x'.repeat(128)])(
  'makes a working room of the id %j, which is nobody else’s',
  async (id) => {
    const { granted, code } = await roomsUnderTest(server);
    const [made] = (await granted({ ...creating, who: asker('>'), id, type: 'group' })).rooms;
    expect((await granted({ op: 'get', who: asker('>'), id })).rooms[0]?.room).toEqual(made?.room);
    expect(await code({ op: 'get', who: asker('*'), id })).toBe('ROOM_DENIED');
    await granted({ op: 'delete', who: asker('>'), id });
  },
);
