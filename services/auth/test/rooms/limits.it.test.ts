import type { NatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { asker } from './asker.ts';
import { brokerWithBuckets, type RoomsUnderTest, roomsUnderTest } from './rooms-under-test.ts';

let server: NatsServer;
beforeAll(async () => {
  server = await brokerWithBuckets();
});
afterAll(() => server.stop());

const joining = { op: 'join', type: null, name: null, ai: null } as const;
const creating = { op: 'create', name: null, ai: null } as const;

/** Keys of a bucket that match, deleted ones that left a marker among them. */
const keys = async ({ bus }: RoomsUnderTest, bucket: string, filter: string) =>
  (await bus.stored.from(`KV_${bucket}`, `$KV.${bucket}.${filter}`, 1, 1_000)).map(({ subject }) => subject);

it('lets nobody fill up the places of another user, and tells nobody how full they are', async () => {
  const limits = { roomsPerUser: 2, addedRoomsPerUser: 3 };
  const service = await roomsUnderTest(server, { limits });
  const [mallory, victim] = [asker('mallory'), asker('victim')];
  for (let number = 0; number < 5; number += 1) {
    const id = `junk${number}`;
    // Whether there is a place for mallory too is not the question here.
    await (await roomsUnderTest(server)).granted({ ...creating, who: mallory, id, type: 'group' });
    expect(await service.code({ op: 'add', who: mallory, id, user: 'victim' })).toBe('ok');
  }
  for (const id of ['mine1', 'mine2']) expect(await service.code({ ...joining, who: victim, id })).toBe('ok');
  expect(await service.code({ ...joining, who: victim, id: 'mine3' })).toBe('TOO_MANY_ROOMS');
  const { rooms } = await service.granted({ op: 'mine', who: victim });
  expect(rooms.map(({ room }) => room.id)).toEqual(['junk0', 'junk1', 'junk2', 'mine1', 'mine2']);
});

it('lets in whom it could only invite, and gives the places of added rooms back', async () => {
  const limits = { addedRoomsPerUser: 1 };
  const { granted, code } = await roomsUnderTest(server, { limits });
  const [owner, guest] = [asker('owner'), asker('guest')];
  for (const id of ['first', 'second', 'third', 'fourth'])
    await granted({ ...creating, who: owner, id, type: 'group' });
  const isIn = async (id: string) => (await code({ op: 'get', who: guest, id })) === 'ok';
  const add = (id: string) => granted({ op: 'add', who: owner, id, user: 'guest' });
  await add('first');
  await add('second');
  expect([await isIn('first'), await isIn('second')]).toEqual([true, false]);
  await granted({ ...joining, who: guest, id: 'second', type: 'group' });
  // What they chose counts as theirs.
  await granted({ ...joining, who: guest, id: 'first', type: 'group' });
  await add('third');
  expect(await isIn('third')).toBe(true);
  await granted({ op: 'kick', who: owner, id: 'third', user: 'guest' });
  await add('fourth');
  expect(await isIn('fourth')).toBe(true);
});

it('counts an added room that its user joins as one of theirs', async () => {
  const { granted, code } = await roomsUnderTest(server, { limits: { roomsPerUser: 1 } });
  const kim = asker('kim');
  await granted({ ...creating, who: asker('host'), id: 'added', type: 'group' });
  await granted({ op: 'add', who: asker('host'), id: 'added', user: 'kim' });
  await granted({ ...joining, who: kim, id: 'added', type: 'group' });
  expect(await code({ ...joining, who: kim, id: 'other' })).toBe('TOO_MANY_ROOMS');
});

it('counts the rooms that a user owns, also those that they left', async () => {
  const { granted, code } = await roomsUnderTest(server, { limits: { ownedRoomsPerUser: 2 } });
  const [maker, friend] = [asker('maker'), asker('friend')];
  for (const id of ['own1', 'own2']) {
    await granted({ ...creating, who: maker, id, type: 'shared' });
    await granted({ ...joining, who: friend, id, type: 'shared' });
    await granted({ op: 'leave', who: maker, id });
  }
  expect(await code({ ...creating, who: maker, id: 'own3', type: 'group' })).toBe('TOO_MANY_ROOMS');
  expect(await code({ ...joining, who: maker, id: 'own3', type: 'shared' })).toBe('TOO_MANY_ROOMS');
  expect(await code({ ...joining, who: maker, id: 'own3' })).toBe('ok');
  // The last one to leave ends a room.
  await granted({ op: 'leave', who: friend, id: 'own2' });
  expect(await code({ ...creating, who: maker, id: 'own4', type: 'group' })).toBe('ok');
});

it('counts no room that a dead service only began to make', async () => {
  // A minute later than the broker's clock.
  const now = () => Date.now() + 120_000;
  const { bus, code } = await roomsUnderTest(server, { limits: { ownedRoomsPerUser: 1 }, now });
  await (await bus.bucket('rooms')).create('owned.uma.=half=1', '');
  const early = await roomsUnderTest(server, { limits: { ownedRoomsPerUser: 1 } });
  const request = { ...creating, who: asker('uma'), id: 'whole', type: 'shared' } as const;
  expect(await early.code(request)).toBe('TOO_MANY_ROOMS');
  expect(await code(request)).toBe('ok');
});

it.each(['leave', 'kick'] as const)('keeps nothing of a member after a %s', async (op) => {
  const service = await roomsUnderTest(server);
  const host = asker('host');
  const id = `after-${op}`;
  const [made] = (await service.granted({ ...creating, who: host, id, type: 'group' })).rooms;
  const key = made?.room.key ?? '';
  await service.granted({ op: 'add', who: host, id, user: 'vic' });
  if (op === 'leave') await service.granted({ ...joining, who: asker('vic'), id, type: 'group' });
  expect(await keys(service, 'members', `${key}.*`)).toHaveLength(2);
  await service.granted(op === 'leave' ? { op, who: asker('vic'), id } : { op, who: host, id, user: 'vic' });
  expect(await keys(service, 'members', `${key}.*`)).toEqual([`$KV.members.${key}.host`]);
  expect(await keys(service, 'positions', `*.${key}`)).toEqual([`$KV.positions.host.${key}`]);
  expect(await keys(service, 'rooms', 'added.vic.*')).toEqual([]);
});

it.each(['delete', 'leave'] as const)('keeps nothing of a room after its last %s', async (op) => {
  const service = await roomsUnderTest(server);
  const wes = asker(`wes-${op}`);
  const id = `end-by-${op}`;
  const [made] = (await service.granted({ ...creating, who: wes, id, type: 'shared' })).rooms;
  const key = made?.room.key ?? '';
  await service.granted({ op: 'ban', who: wes, id, user: 'rude' });
  await service.granted({ op: 'invite', who: wes, id, user: 'kind' });
  if (op === 'delete') await service.granted({ op: 'add', who: wes, id, user: 'added' });
  await service.granted({ op, who: wes, id });
  expect(await service.code({ op: 'get', who: wes, id })).toBe('ROOM_DENIED');
  await expect.poll(() => keys(service, 'members', `${key}.*`)).toEqual([]);
  expect(await keys(service, 'positions', `*.${key}`)).toEqual([]);
  for (const filter of [`room.${key}`, `id.${id}`, 'added.added.*', `owned.${wes.sub}.*`])
    expect(await keys(service, 'rooms', filter)).toEqual([]);
});

it('keeps no record of a private room that was left, and its owner may be there still', async () => {
  const service = await roomsUnderTest(server);
  const xena = asker('xena');
  const [made] = (await service.granted({ ...joining, who: xena, id: 'attic' })).rooms;
  const key = made?.room.key ?? '';
  await service.granted({ op: 'leave', who: xena, id: 'attic' });
  expect(await keys(service, 'rooms', `room.${key}`)).toEqual([]);
  const { rooms } = await service.granted({ op: 'access', who: xena, keys: [key] });
  expect(rooms.map(({ room }) => room.key)).toEqual([key]);
});
