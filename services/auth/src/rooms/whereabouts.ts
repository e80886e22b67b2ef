/** Where a user is and may be, by the keys of rooms; all of it read from leaders. */
import {
  type AccessManyRequest,
  type Asker,
  conversationName,
  type Room,
  type RoomView,
} from '@natter/proto';
import { inBatches } from '../in-batches.ts';
import type { Position } from './position-store.ts';
import { isMember } from './room-rules.ts';
import { viewOf } from './room-view.ts';
import type { Stores } from './stores.ts';

/** Reads under way for one request. */
const BATCH = 32;
/** Below this two reads for each cost the broker less than proving that nothing was written. */
const MANY = 4;

/** Those of the keys whose rooms `who` is in now. Private rooms of theirs need no record. */
export async function accessible(
  stores: Stores,
  who: Asker,
  keys: readonly string[],
  now: () => number,
): Promise<RoomView[]> {
  const views = await inBatches([...new Set(keys)], BATCH, async (key) => {
    const view = await roomOf(stores, who, key);
    const name = conversationName(key);
    if (view !== null || name === null || !('owner' in name) || name.owner !== who.sub) return view;
    return viewOf(defaultRoom(key, who, name.name, now()), who);
  });
  return views.filter((view) => view !== null);
}

/** Of many users whether each may be in a shared or group room: the room, or null; in their order. */
export async function accessibleMany(
  stores: Stores,
  asks: AccessManyRequest['asks'],
): Promise<(RoomView | null)[]> {
  const shared = asks.filter(({ key }) => isShared(key));
  if (shared.length < MANY)
    return inBatches(asks, BATCH, ({ who, key }) => (isShared(key) ? roomOf(stores, who, key) : null));
  const asked = shared.map(({ who, key }) => ({ room: key, sub: who.sub }));
  const [members, rooms] = await Promise.all([
    stores.members.getMany(asked),
    stores.rooms.byKeys([...new Set(asked.map(({ room }) => room))]),
  ]);
  const views = new Map(
    shared.map((ask, index) => {
      const room = isMember(members[index] ?? null) ? rooms.get(ask.key) : undefined;
      return [ask, room === undefined ? null : viewOf(room, ask.who)];
    }),
  );
  return asks.map((ask) => views.get(ask) ?? null);
}

/** Of a well-formed key, whether it is no user's own conversation. */
function isShared(key: string): boolean {
  const name = conversationName(key);
  return name !== null && !('owner' in name);
}

/** The rooms a user is a member of, at most `limit`. Positions in others are deleted. */
export async function roomsOf(stores: Stores, who: Asker, limit: number): Promise<RoomView[]> {
  const { positions } = await stores.positions.list(who.sub, limit);
  const views = await inBatches(positions, BATCH, async (position) => {
    const view = await roomOf(stores, who, position.room);
    if (view === null) await sweep(stores, who.sub, position);
    return view;
  });
  return views.filter((view) => view !== null);
}

/** Takes away what is left of a room that a user is not in. */
async function sweep(stores: Stores, sub: string, position: Position): Promise<void> {
  await stores.positions.sweep(sub, position);
  const name = conversationName(position.room);
  if (name === null || 'owner' in name || (await stores.rooms.byKey(position.room)) !== null) return;
  await stores.members.forgetMember(position.room, sub);
  await stores.added.remove(sub, position.room);
}

/** The room of a key if it exists and `who` is in it, else null. */
async function roomOf(stores: Stores, who: Asker, key: string): Promise<RoomView | null> {
  const name = conversationName(key);
  if (name === null || ('owner' in name && name.owner !== who.sub)) return null;
  // The member first: whoever asks for 256 rooms they are not in costs one read for each.
  if (!('owner' in name) && !isMember(await stores.members.get(key, who.sub))) return null;
  const room = await stores.rooms.byKey(key);
  return room === null ? null : viewOf(room, who);
}

function defaultRoom(key: string, who: Asker, id: string, createdAt: number): Room {
  return { key, id, name: id, type: 'private', ai: 'always', owner: who.sub, createdAt };
}
