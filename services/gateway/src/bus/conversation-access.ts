/** Whether a user may be in a conversation, as uploads and files ask it. */
import { type Asker, conversationName, type ErrorCode } from '@natter/proto';
import { BusError } from '@natter/runtime';
import type { RoomsClient } from './rooms-client.ts';

type Rooms = Pick<RoomsClient, 'ask'>;

/** Key of the conversation of the room that this id means to the user, or why they get none. */
export async function keyOfRoom(
  rooms: Rooms,
  who: Asker,
  id: string,
): Promise<{ ok: true; key: string } | { ok: false; code: ErrorCode }> {
  const reply = await rooms.ask({ op: 'get', who, id });
  if (!reply.ok) return reply;
  const view = reply.rooms[0];
  return view === undefined ? { ok: false, code: 'ROOM_DENIED' } : { ok: true, key: view.room.key };
}

/**
 * Whether they may be there now: in a conversation of their own, or in this very life of a room.
 *
 * Throws BusError UNAVAILABLE when nobody can tell.
 */
export async function mayBeIn(rooms: Rooms, who: Asker, key: string): Promise<boolean> {
  const name = conversationName(key);
  if (name === null) return false;
  if ('owner' in name) return name.owner === who.sub;
  const reply = await rooms.ask({ op: 'access', who, keys: [key] });
  if (!reply.ok) throw new BusError('UNAVAILABLE', `the auth service answered ${reply.code}`);
  return reply.rooms.some(({ room }) => room.key === key);
}
