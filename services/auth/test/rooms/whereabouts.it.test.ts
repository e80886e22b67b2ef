import { conversationKey, encodeToken } from '@natter/proto';
import { createLogger } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { StoreOpener } from '../../src/rooms/stores.ts';
import { asker } from './asker.ts';
import { brokerWithBuckets, makeBuckets, roomsUnderTest } from './rooms-under-test.ts';

let server: NatsServer;
beforeAll(async () => {
  server = await brokerWithBuckets();
});
afterAll(() => server.stop());

const alice = asker('alice');
const bob = asker('bob');
const joining = { op: 'join', type: null, name: null, ai: null } as const;
const creating = { op: 'create', name: null, ai: null } as const;
const positionsOf = async (service: Awaited<ReturnType<typeof roomsUnderTest>>, sub: string) => {
  const stored = await service.bus.stored.from('KV_positions', `$KV.positions.${sub}.*`, 1, 1_000);
  return stored.filter(({ header }) => header('KV-Operation') === undefined).map(({ subject }) => subject);
};

it('grants access to exactly the rooms somebody is in now', async () => {
  const { granted } = await roomsUnderTest(server);
  const key = async (id: string, type: 'shared' | 'group') =>
    (await granted({ ...creating, who: alice, id, type })).rooms[0]?.room.key ?? '';
  const [member, stranger, kicked, invited] = [
    await key('a-member', 'group'),
    await key('a-stranger', 'shared'),
    await key('a-kicked', 'shared'),
    await key('a-invited', 'group'),
  ];
  await granted({ op: 'add', who: alice, id: 'a-member', user: 'bob' });
  await granted({ ...joining, who: bob, id: 'a-kicked' });
  await granted({ op: 'kick', who: alice, id: 'a-kicked', user: 'bob' });
  await granted({ op: 'invite', who: alice, id: 'a-invited', user: 'bob' });
  const others = [conversationKey('alice', 'x'), '=never=1', '=', '', 'a.b', '>', 'x'.repeat(1_024)];
  const own = conversationKey('bob', 'without a record');
  const keys = [member, stranger, kicked, invited, ...others, own, member];
  const { rooms } = await granted({ op: 'access', who: bob, keys });
  expect(rooms.map(({ room }) => room.key)).toEqual([member, own]);
  expect(rooms[1]).toMatchObject({ role: 'owner', room: { id: 'without a record', type: 'private' } });
  // An admin is in a room like anybody else: as a member.
  expect((await granted({ op: 'access', who: asker('ada', { admin: true }), keys: [member] })).rooms).toEqual(
    [],
  );
});

it('grants many users at once exactly what each is in now', async () => {
  const { granted, accesses } = await roomsUnderTest(server);
  const users = Array.from({ length: 12 }, (_, index) => asker(`m${index}`));
  const made = await granted({ ...creating, who: alice, id: 'many-1', type: 'shared' });
  const key = made.rooms[0]?.room.key ?? '';
  for (const who of users) await granted({ ...joining, who, id: 'many-1' });
  const gone =
    (await granted({ ...creating, who: alice, id: 'many-2', type: 'shared' })).rooms[0]?.room.key ?? '';
  for (const who of users) await granted({ ...joining, who, id: 'many-2' });
  await granted({ op: 'kick', who: alice, id: 'many-1', user: 'm0' });
  await granted({ op: 'ban', who: alice, id: 'many-1', user: 'm1' });
  await granted({ op: 'leave', who: asker('m2'), id: 'many-1' });
  await granted({ op: 'delete', who: alice, id: 'many-2' });
  const asks = [
    ...users.map((who) => ({ who, key })),
    { who: alice, key },
    { who: bob, key },
    ...users.map((who) => ({ who, key: gone })),
    ...['=never=1', '=', '', '>', '=*=*', conversationKey('alice', 'x')].map((other) => ({
      who: alice,
      key: other,
    })),
    { who: asker('natter:session:m3'), key },
  ];
  const expected = asks.map(({ who, key: asked }) =>
    asked === key && (who === alice || users.slice(3).includes(who)) ? 'many-1' : null,
  );
  expect(await accesses(asks)).toEqual(expected);
});

it('tells a room from its namesake, to which its owner was added by somebody else', async () => {
  const { granted } = await roomsUnderTest(server);
  const rooms = async (who: typeof bob, ids: readonly [id: string, type: 'private' | 'group'][]) => {
    const made = [];
    for (const [id, type] of ids) made.push(await granted({ ...creating, who, id, type }));
    return made.map((reply) => reply.rooms[0]?.room.key ?? '');
  };
  const own = await rooms(bob, [['n-both', 'private']]);
  const theirs = await rooms(alice, [
    ['n-both', 'group'],
    ['n-one', 'group'],
  ]);
  for (const id of ['n-both', 'n-one']) await granted({ op: 'add', who: alice, id, user: 'bob' });
  const keys = [...own, ...theirs];
  const named = async () => {
    const reply = await granted({ op: 'access', who: bob, keys, named: true });
    return reply.rooms.map(({ room }) => room.key);
  };
  expect(await named()).toEqual([own[0], theirs[1]]);
  expect((await granted({ op: 'access', who: bob, keys })).rooms).toHaveLength(3);
  // Bob has chosen it himself.
  await granted({ ...joining, who: bob, id: 'n-both', type: 'group' });
  expect(await named()).toEqual(theirs);
});

it('deletes the positions of everybody who was in a deleted room', async () => {
  const service = await roomsUnderTest(server);
  const { granted } = service;
  await granted({ ...creating, who: asker('p0'), id: 'gone', type: 'shared' });
  for (const sub of ['p1', 'p2']) await granted({ ...joining, who: asker(sub), id: 'gone' });
  expect(await positionsOf(service, 'p2')).toHaveLength(1);
  await granted({ op: 'delete', who: asker('p0'), id: 'gone' });
  for (const sub of ['p0', 'p1', 'p2']) await expect.poll(() => positionsOf(service, sub)).toEqual([]);
});

it('leaves a position out of a user’s rooms, and deletes it, when its room is gone', async () => {
  const service = await roomsUnderTest(server);
  const positions = await service.bus.bucket('positions');
  for (const key of ['=dead=1', conversationKey('quinn', 'dead'), conversationKey('alice', 'other')])
    await positions.create(`quinn.${key}`, '{"seq":7}');
  await service.granted({ ...joining, who: asker('quinn'), id: 'alive' });
  const { rooms } = await service.granted({ op: 'mine', who: asker('quinn') });
  expect(rooms.map(({ room }) => room.id)).toEqual(['alive']);
  expect(await positionsOf(service, 'quinn')).toHaveLength(1);
});

it('keeps the position that a gateway has moved on, when its member joins again', async () => {
  const service = await roomsUnderTest(server);
  const rita = asker('rita');
  const [view] = (await service.granted({ ...joining, who: rita, id: 'r', type: 'shared' })).rooms;
  const positions = await service.bus.bucket('positions');
  const name = `rita.${view?.room.key}`;
  const entry = await positions.get(name);
  await positions.update(name, '{"seq":41}', entry?.revision ?? 0);
  await service.granted({ ...joining, who: rita, id: 'r' });
  expect(Buffer.from((await positions.get(name))?.value ?? []).toString()).toBe('{"seq":41}');
});

it('writes nothing when a member joins again', async () => {
  const { bus, granted } = await roomsUnderTest(server);
  const tess = asker('tess');
  const lasts = () =>
    Promise.all(
      (['rooms', 'members', 'positions'] as const).map(
        async (name) => (await bus.stored.newest(`KV_${name}`, `$KV.${name}.>`))?.seq,
      ),
    );
  await granted({ ...joining, who: tess, id: 'tea', type: 'shared' });
  await granted({ ...joining, who: tess, id: 'notes' });
  const before = await lasts();
  for (const [id, type] of [
    ['tea', 'shared'],
    ['tea', null],
    ['notes', 'private'],
    ['notes', null],
  ] as const) {
    const [view] = (await granted({ ...joining, who: tess, id, type })).rooms;
    expect(view).toMatchObject({ created: false, joined: false, room: { id } });
  }
  expect(await lasts()).toEqual(before);
});

it('puts a room among those of a member again whose position was lost', async () => {
  const service = await roomsUnderTest(server);
  const uma = asker('uma');
  const [view] = (await service.granted({ ...joining, who: uma, id: 'u', type: 'shared' })).rooms;
  // A service that died between the two writes of a join leaves it so.
  await (await service.bus.bucket('positions')).delete(`uma.${view?.room.key}`);
  await service.granted({ ...joining, who: uma, id: 'u', type: 'shared' });
  expect(await positionsOf(service, 'uma')).toHaveLength(1);
});

it('does not delete the position of somebody who came back while they were being kicked', async () => {
  const { bus } = await roomsUnderTest(server);
  const { positions } = await new StoreOpener(bus, createLogger('test', 'silent')).open();
  await positions.begin('sam', '=s=1');
  let looks = 0;
  await positions.end('sam', '=s=1', async () => {
    looks += 1;
    // They come back right after it was seen that they are gone.
    if (looks === 1) await positions.begin('sam', '=s=1');
    return looks > 1;
  });
  expect(await positions.has('sam', '=s=1')).toBe(true);
});

it('answers UNAVAILABLE until the buckets exist, then works', async () => {
  const fresh = await startNatsServer({ signIn: true });
  onTestFinished(() => fresh.stop());
  const { code } = await roomsUnderTest(fresh);
  const request = { ...joining, who: alice, id: 'early' };
  expect(await code(request)).toBe('UNAVAILABLE');
  await makeBuckets(fresh);
  expect(await code(request)).toBe('ok');
});

it('lists a thousand members of a large room, the one who asks among them', async () => {
  const { bus, granted } = await roomsUnderTest(server);
  const [made] = (await granted({ ...creating, who: asker('host'), id: 'large', type: 'shared' })).rooms;
  const members = await bus.bucket('members');
  const subs = Array.from({ length: 1_100 }, (_, index) => `guest${index}`);
  await Promise.all(
    subs.map((sub) => {
      const member = { sub, name: null, role: 'member', state: 'member', by: sub, at: Date.now() };
      return members.create(`${made?.room.key}.${sub}`, JSON.stringify(member));
    }),
  );
  await granted({ ...joining, who: bob, id: 'large' });
  const late = await granted({ op: 'get', who: bob, id: 'large' });
  expect(late.members).toHaveLength(1_000);
  expect(late.members?.map(({ sub }) => sub)).toEqual(expect.arrayContaining(['host', 'guest0', 'bob']));
});

it('lists no more members than one message of the broker holds', async () => {
  const { bus, granted } = await roomsUnderTest(server);
  const [made] = (await granted({ ...creating, who: asker('host'), id: 'loud', type: 'shared' })).rooms;
  const members = await bus.bucket('members');
  const name = '\u0001'.repeat(256);
  const subs = Array.from({ length: 999 }, (_, index) => `${'\u0001'.repeat(120)}${index}`);
  await Promise.all(
    subs.map((sub) => {
      const member = { sub, name, role: 'member', state: 'member', by: sub, at: Date.now() };
      return members.create(`${made?.room.key}.${encodeToken(sub)}`, JSON.stringify(member));
    }),
  );
  const reply = await granted({ op: 'get', who: asker('host'), id: 'loud' });
  expect(reply.members?.length).toBeGreaterThan(100);
  expect(JSON.stringify(reply).length).toBeLessThan(2_000_000);
});
