/** Which room an id names: the same words mean another room to another user. */
import type { Asker, Member, Room } from '@natter/proto';
import { RoomRefused } from './room-refused.ts';
import { isMember, isParticipant, mayJoin } from './room-rules.ts';
import type { Stores } from './stores.ts';

export interface Named {
  room: Room;
  /** What the asker is in it; null for nothing, and in private rooms. */
  member: Member | null;
}

/**
 * The room that an id names to somebody, or null.
 *
 * The shared or group room of that id if they joined it or may join it, else their own private
 * one. But a private room that they have comes before a shared one they never chose: otherwise
 * whoever makes a shared room of the same id, or adds them to one, would read what they write.
 */
export async function namedRoom(stores: Stores, who: Asker, id: string): Promise<Named | null> {
  const room = await stores.rooms.byId(id);
  const member = room === null ? null : await stores.members.get(room.key, who.sub);
  // Who added or invited somebody is not them.
  if (room !== null && isMember(member) && member?.by === who.sub) return { room, member };
  const own = await stores.rooms.ownedBy(who.sub, id);
  if (own !== null) return { room: own, member: null };
  return room !== null && mayJoin(room, member, who) ? { room, member } : null;
}

/** The named room if it may be shown to the asker; ROOM_DENIED also where there is none. */
export async function shownRoom(stores: Stores, who: Asker, id: string): Promise<Named> {
  const named = await namedRoom(stores, who, id);
  if (named === null) throw new RoomRefused('ROOM_DENIED');
  if (named.room.type !== 'private' && !isParticipant(named.room, named.member, who))
    throw new RoomRefused('ROOM_DENIED');
  return named;
}
