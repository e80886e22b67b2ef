import type { AccessManyRequest, RoomView, VerifyReply } from '@natter/proto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { addRooms } from '../../src/rooms/rooms-of-tokens.ts';
import type { Stores } from '../../src/rooms/stores.ts';
import { LOG } from '../forge.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const judged = (sub: string, roles: string[] = []): VerifyReply => ({
  ok: true,
  principal: { sub, email: null, name: null, roles, scopes: [], expiresAt: 9 },
});
const view = (key: string): RoomView => ({
  room: { key, id: key, name: key, type: 'shared', ai: 'always', owner: 'x', createdAt: 1 },
  role: 'member',
});
const token = (...rooms: string[]) => ({ token: 't', use: 'access' as const, rooms });

/** Rooms in which everybody is, but for those called `=no=`. */
function parts(accesses?: () => Promise<(RoomView | null)[]>) {
  const asked: AccessManyRequest['asks'] = [];
  const all = async (_: Stores, asks: AccessManyRequest['asks']) => {
    asked.push(...asks);
    return asks.map(({ key }) => (key.startsWith('=no=') ? null : view(key)));
  };
  const rooms = { accesses: accesses ?? all };
  return { asked, parts: { rooms, stores: { open: async () => ({}) as Stores }, log: LOG } };
}

it('tells each owner of a good token which of their rooms they may be in', async () => {
  const { asked, parts: given } = parts();
  const bad: VerifyReply = { ok: false, reason: 'expired' };
  const asks = [token('=a=1', '=no=1'), token(), token('=b=1'), token('=no=2')];
  const replies = await addRooms(
    asks,
    [judged('alice'), judged('bob'), bad, judged('carol', ['admin'])],
    given,
  );
  expect(replies).toEqual([
    { ...judged('alice'), rooms: [view('=a=1')] },
    judged('bob'),
    bad,
    { ...judged('carol', ['admin']), rooms: [] },
  ]);
  expect(asked.map(({ who, key }) => `${who.sub} ${who.admin} ${key}`)).toEqual([
    'alice false =a=1',
    'alice false =no=1',
    'carol true =no=2',
  ]);
});

it('tells of 128 rooms, and of those of nobody whom it can not tell of all', async () => {
  const { asked, parts: given } = parts();
  const asks = Array.from({ length: 10 }, (_, index) =>
    token(...Array.from({ length: 15 }, (__, room) => `=r${room}=${index}`)),
  );
  const replies = await addRooms(
    asks,
    asks.map((_, index) => judged(`u${index}`)),
    given,
  );
  expect(asked).toHaveLength(128);
  expect(replies.map((reply) => reply.ok && reply.rooms?.length)).toEqual([
    ...Array.from({ length: 8 }, () => 15),
    undefined,
    undefined,
  ]);
});

it('leaves the rooms out when the answer takes longer than a second', async () => {
  const { parts: given } = parts(() => new Promise(() => undefined));
  const replies = addRooms([token('=a=1')], [judged('alice')], given);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await replies).toEqual([judged('alice')]);
});
