/** Which room an id names: the same words mean another room to another user. */
import type { Asker, Room } from '@natter/proto';
import type { MemberEntry } from './member-store.ts';
import { RoomRefused } from './room-refused.ts';
import { hasChosen, isParticipant, mayJoin } from './room-rules.ts';
import type { Stores } from './stores.ts';

/** A room, and what one user is in it: nothing in private rooms. */
export interface Named extends MemberEntry {
  room: Room;
}

/** The shared or group room of an id and what a user is in it, or null where there is none. */
export async function publicRoom(stores: Stores, sub: string, id: string): Promise<Named | null> {
  const key = await stores.rooms.keyOf(id);
  if (key === null) return null;
  const [room, entry] = await Promise.all([stores.rooms.byKey(key), stores.members.read(key, sub)]);
  return room === null ? null : { room, ...entry };
}

/**
 * The room that an id names to somebody, or null.
 *
 * The shared or group room of that id if they joined it or may join it, else their own private
 * one. But a private room that they have comes before a shared one they never chose: otherwise
 * whoever makes a shared room of the same id, or adds them to one, would read what they write.
 */
export async function namedRoom(stores: Stores, who: Asker, id: string): Promise<Named | null> {
  const found = await publicRoom(stores, who.sub, id);
  if (found !== null && hasChosen(found.member)) return found;
  const own = await privateRoom(stores, who.sub, id);
  if (own !== null) return own;
  return found !== null && mayJoin(found.room, found.member, who) ? found : null;
}

/** The private room of an id of a user, or null. */
export async function privateRoom(stores: Stores, sub: string, id: string): Promise<Named | null> {
  const room = await stores.rooms.ownedBy(sub, id);
  return room === null ? null : { room, member: null, revision: null };
}

/** The named room if it may be shown to the asker; ROOM_DENIED also where there is none. */
export async function shownRoom(stores: Stores, who: Asker, id: string): Promise<Named> {
  const named = await namedRoom(stores, who, id);
  if (named === null) throw new RoomRefused('ROOM_DENIED');
  if (named.room.type !== 'private' && !isParticipant(named.room, named.member, who))
    throw new RoomRefused('ROOM_DENIED');
  return named;
}
