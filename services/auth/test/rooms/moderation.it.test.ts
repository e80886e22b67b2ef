import type { NatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { asker } from './asker.ts';
import { brokerWithBuckets, type RoomsUnderTest, roomsUnderTest } from './rooms-under-test.ts';

let server: NatsServer;
beforeAll(async () => {
  server = await brokerWithBuckets();
});
afterAll(() => server.stop());

const alice = asker('alice');
const bob = asker('bob');
const carol = asker('carol');
const admin = asker('ada', { admin: true });
const joining = { op: 'join', type: null, name: null, ai: null } as const;
const creating = { op: 'create', name: null, ai: null } as const;

const ids = async ({ granted }: RoomsUnderTest, who: typeof alice) =>
  (await granted({ op: 'mine', who })).rooms.map(({ room }) => room.id);

it('lets an invited user into a group, and nobody else', async () => {
  const { granted, code } = await roomsUnderTest(server);
  await granted({ ...creating, who: alice, id: 'club', type: 'group' });
  expect(await code({ ...joining, who: bob, id: 'club', type: 'group' })).toBe('ROOM_DENIED');
  await granted({ op: 'invite', who: alice, id: 'club', user: 'bob', userName: 'Bob' });
  expect(await code({ op: 'get', who: bob, id: 'club' })).toBe('ROOM_DENIED');
  const joined = await granted({ ...joining, who: bob, id: 'club' });
  expect(joined.rooms[0]).toMatchObject({ role: 'member', joined: true });
  expect(await code({ ...joining, who: carol, id: 'club', type: 'group' })).toBe('ROOM_DENIED');
});

it('puts an added user into a group at once', async () => {
  const service = await roomsUnderTest(server);
  const { granted } = service;
  await granted({ ...creating, who: alice, id: 'crew', type: 'group' });
  await granted({ op: 'add', who: alice, id: 'crew', user: 'carol', userName: 'Carol' });
  const { members } = await granted({ op: 'get', who: carol, id: 'crew' });
  expect(members).toMatchObject([{ sub: 'alice' }, { sub: 'carol', name: 'Carol', by: 'alice' }]);
  expect(await ids(service, carol)).toContain('crew');
});

it('keeps a kicked user out of a group until invited again, and out of a shared room not at all', async () => {
  const service = await roomsUnderTest(server);
  const { granted, code } = service;
  for (const [id, type] of [
    ['kick-group', 'group'],
    ['kick-shared', 'shared'],
  ] as const) {
    await granted({ ...creating, who: alice, id, type });
    await granted({ op: 'add', who: alice, id, user: 'bob' });
    expect(await ids(service, bob)).toContain(id);
    await granted({ op: 'kick', who: alice, id, user: 'bob' });
    expect(await ids(service, bob)).not.toContain(id);
    expect(await code({ op: 'get', who: bob, id })).toBe('ROOM_DENIED');
  }
  expect(await code({ ...joining, who: bob, id: 'kick-shared' })).toBe('ok');
  expect(await code({ ...joining, who: bob, id: 'kick-group', type: 'group' })).toBe('ROOM_DENIED');
  await granted({ op: 'invite', who: alice, id: 'kick-group', user: 'bob' });
  expect(await code({ ...joining, who: bob, id: 'kick-group' })).toBe('ok');
});

it('keeps a banned user out until unbanned, whoever invites or adds them', async () => {
  const { granted, code } = await roomsUnderTest(server);
  await granted({ ...creating, who: alice, id: 'bar', type: 'shared' });
  await granted({ ...joining, who: bob, id: 'bar' });
  await granted({ op: 'ban', who: alice, id: 'bar', user: 'bob' });
  expect(await code({ ...joining, who: bob, id: 'bar', type: 'shared' })).toBe('ROOM_DENIED');
  for (const op of ['invite', 'add'] as const)
    expect(await code({ op, who: alice, id: 'bar', user: 'bob' })).toBe('INVALID_FIELD');
  // A kick is less than a ban and does not end it.
  await granted({ op: 'kick', who: alice, id: 'bar', user: 'bob' });
  expect(await code({ ...joining, who: bob, id: 'bar', type: 'shared' })).toBe('ROOM_DENIED');
  await granted({ op: 'unban', who: alice, id: 'bar', user: 'bob' });
  expect(await code({ ...joining, who: bob, id: 'bar', type: 'shared' })).toBe('ok');
});

it('bans somebody who was never there', async () => {
  const { granted, code } = await roomsUnderTest(server);
  await granted({ ...creating, who: alice, id: 'door', type: 'shared' });
  await granted({ op: 'ban', who: alice, id: 'door', user: 'mallory' });
  expect(await code({ ...joining, who: asker('mallory'), id: 'door', type: 'shared' })).toBe('ROOM_DENIED');
});

it('lets admins do what the owner may, and nobody put out the owner', async () => {
  const { granted, code } = await roomsUnderTest(server);
  await granted({ ...creating, who: alice, id: 'hall', type: 'group' });
  await granted({ op: 'add', who: admin, id: 'hall', user: 'bob' });
  for (const op of ['kick', 'ban'] as const) {
    expect(await code({ op, who: admin, id: 'hall', user: 'alice' })).toBe('NOT_MODERATOR');
    expect(await code({ op, who: bob, id: 'hall', user: 'alice' })).toBe('NOT_MODERATOR');
    expect(await code({ op, who: carol, id: 'hall', user: 'alice' })).toBe('ROOM_DENIED');
  }
  expect(await code({ op: 'kick', who: admin, id: 'hall', user: 'bob' })).toBe('ok');
});

it('lets a member leave, and back into a group only when invited; its owner always', async () => {
  const service = await roomsUnderTest(server);
  const { granted, code } = service;
  await granted({ ...creating, who: alice, id: 'exit', type: 'group' });
  await granted({ op: 'add', who: alice, id: 'exit', user: 'bob' });
  // Joining says that the group of this id is the one bob means from now on.
  await granted({ ...joining, who: bob, id: 'exit', type: 'group' });
  await granted({ op: 'add', who: alice, id: 'exit', user: 'carol' });
  for (const who of [bob, alice]) {
    await granted({ op: 'leave', who, id: 'exit' });
    expect(await ids(service, who)).not.toContain('exit');
    expect(await code({ op: 'leave', who, id: 'exit' })).toBe('ROOM_DENIED');
  }
  expect(await code({ ...joining, who: bob, id: 'exit', type: 'group' })).toBe('ROOM_DENIED');
  expect((await granted({ ...joining, who: alice, id: 'exit' })).rooms[0]).toMatchObject({ role: 'owner' });
});

it('lets the ban win over joins that are under way, in either order', async () => {
  const service = await roomsUnderTest(server);
  const { granted, ask, code } = service;
  await granted({ ...creating, who: alice, id: 'storm', type: 'shared' });
  const users = Array.from({ length: 12 }, (_, index) => asker(`storm${index}`));
  await Promise.all(
    users.flatMap((who) => [
      ask({ ...joining, who, id: 'storm', type: 'shared' }),
      ask({ op: 'ban', who: alice, id: 'storm', user: who.sub }),
    ]),
  );
  for (const who of users) {
    expect(await code({ op: 'get', who, id: 'storm' })).toBe('ROOM_DENIED');
    expect(await ids(service, who)).toEqual([]);
  }
});

it('gives the places of those who left to others, in a room that more have passed through than it holds', async () => {
  const { granted, code } = await roomsUnderTest(server, { limits: { membersPerRoom: 2, roomsPerUser: 2 } });
  const gus = asker('gus');
  await granted({ ...creating, who: gus, id: 'inn', type: 'shared' });
  for (const guest of ['guest1', 'guest2', 'guest3']) {
    await granted({ ...joining, who: asker(guest), id: 'inn', type: 'shared' });
    expect(await code({ ...joining, who: asker('hugo'), id: 'inn', type: 'shared' })).toBe('ROOM_FULL');
    await granted({ op: 'leave', who: asker(guest), id: 'inn' });
  }
  for (const id of ['away1', 'away2', 'away3']) {
    await granted({ ...creating, who: gus, id, type: 'shared' });
    expect(await code({ ...creating, who: gus, id: 'more', type: 'shared' })).toBe('TOO_MANY_ROOMS');
    await granted({ op: 'leave', who: gus, id });
  }
});

it('counts those who join a large room while its count is remembered', async () => {
  // Beyond 200 keys a count is kept; the clock of this service stands still, so it is kept for good.
  const limits = { membersPerRoom: 210, roomsPerUser: 2 };
  const { bus, granted, ask } = await roomsUnderTest(server, { limits, now: () => 1 });
  const [made] = (await granted({ ...creating, who: asker('ivo'), id: 'fair', type: 'shared' })).rooms;
  const members = await bus.bucket('members');
  await Promise.all(
    Array.from({ length: 204 }, (_, index) => {
      const sub = `visitor${index}`;
      const member = { sub, name: null, role: 'member', state: 'member', by: sub, at: 1 };
      return members.create(`${made?.room.key}.${sub}`, JSON.stringify(member));
    }),
  );
  const results = [];
  for (let late = 0; late < 8; late += 1) {
    const reply = await ask({ ...joining, who: asker(`late${late}`), id: 'fair', type: 'shared' });
    results.push(reply.ok ? 'ok' : reply.code);
  }
  expect(results).toEqual([...Array(5).fill('ok'), ...Array(3).fill('ROOM_FULL')]);
});

it('refuses one member and one room too many', async () => {
  const { granted, code } = await roomsUnderTest(server, { limits: { membersPerRoom: 3, roomsPerUser: 2 } });
  const [dan, eve] = [asker('dan'), asker('eve')];
  await granted({ ...creating, who: dan, id: 'small', type: 'shared' });
  await granted({ op: 'invite', who: dan, id: 'small', user: 'frank' });
  await granted({ op: 'ban', who: dan, id: 'small', user: 'mallory' });
  expect(await code({ ...joining, who: eve, id: 'small', type: 'shared' })).toBe('ROOM_FULL');
  expect(await code({ op: 'add', who: dan, id: 'small', user: 'eve' })).toBe('ROOM_FULL');
  // Whoever was invited has a place already.
  expect(await code({ ...joining, who: asker('frank'), id: 'small', type: 'shared' })).toBe('ok');
  await granted({ op: 'kick', who: dan, id: 'small', user: 'frank' });
  expect(await code({ ...joining, who: eve, id: 'small', type: 'shared' })).toBe('ok');

  await granted({ ...joining, who: eve, id: 'second' });
  expect(await code({ ...joining, who: eve, id: 'third' })).toBe('TOO_MANY_ROOMS');
  expect(await code({ ...creating, who: eve, id: 'third', type: 'shared' })).toBe('TOO_MANY_ROOMS');
  expect(await code({ ...joining, who: eve, id: 'second' })).toBe('ok');
  await granted({ op: 'leave', who: eve, id: 'second' });
  expect(await code({ ...joining, who: eve, id: 'third' })).toBe('ok');
});
