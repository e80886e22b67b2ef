/** What owners and admins do with other users of a room, and what they may do with the room. */
import type { Asker, Member, Room, RoomsRequest, RoomView } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import type { Places } from './places.ts';
import { publicRoom, shownRoom } from './room-names.ts';
import { RoomRefused } from './room-refused.ts';
import { isMember, isModerator, type ModerationOp, moderated, takesPlace } from './room-rules.ts';
import { viewOf } from './room-view.ts';
import type { Stores } from './stores.ts';

type Request = Extract<RoomsRequest, { op: ModerationOp }>;

/** Invites, adds, kicks, bans or unbans a user of a shared or group room. */
export async function moderate(
  stores: Stores,
  { op, who, id, user, userName }: Request,
  { places, now, log }: { places: Places; now: () => number; log: Logger },
): Promise<RoomView> {
  const named = await publicRoom(stores, user, id);
  if (named === null) throw new RoomRefused('ROOM_DENIED');
  const { room, member: before } = named;
  await checkModerator(stores, room, who);
  // Nobody is told what another user's places are taken by: where there is none, it is an invitation.
  const byOthers = op === 'add' && user !== who.sub;
  const action = byOthers && !(await places.mayBeAdded(stores, user)) ? 'invite' : op;
  const wanted = moderated(action, room, user, before);
  if (wanted === 'member' && !byOthers) await places.checkRooms(stores, room.key, user);
  // A ban of somebody who is in the room takes no further place; of a stranger it does.
  if (wanted !== null && (before === null || (wanted !== 'banned' && !takesPlace(before))))
    await places.checkMembers(stores, room.key);

  let changed = false;
  const decide = (current: Member | null): Member | null => {
    const state = moderated(action, room, user, current);
    changed = state !== null;
    if (state === null) return null;
    const role = room.owner === user ? 'owner' : 'member';
    return { sub: user, name: userName ?? current?.name ?? null, role, state, by: who.sub, at: now() };
  };
  if (wanted === 'member' && byOthers) await stores.added.add(user, room.key);
  await stores.members.change(room.key, user, decide, named);
  if (action === 'add' && changed) await stores.positions.begin(user, room.key);
  else if (action === 'add') await stores.positions.ensure(user, room.key);
  // Also when nothing changed: the first time may have ended half-way.
  if (op === 'kick' || op === 'ban') await endPosition(stores, room, user, log);
  return viewOf(room, who);
}

/** The room an id names to `who`, if they may change it. */
export async function moderatedRoom(stores: Stores, who: Asker, id: string): Promise<Room> {
  const { room } = await shownRoom(stores, who, id);
  // Private rooms are shown to their owner only.
  if (room.type !== 'private') await checkModerator(stores, room, who);
  return room;
}

/** NOT_MODERATOR tells that there is a room, so only members hear it. */
async function checkModerator(stores: Stores, room: Room, who: Asker): Promise<void> {
  if (isModerator(room, who)) return;
  const member = await stores.members.get(room.key, who.sub);
  throw new RoomRefused(isMember(member) ? 'NOT_MODERATOR' : 'ROOM_DENIED');
}

/** Best effort: what is left of a position permits nothing, and listing the user's rooms deletes it. */
export async function endPosition(stores: Stores, room: Room, sub: string, log: Logger): Promise<void> {
  const isBack = async () => isMember(await stores.members.get(room.key, sub));
  try {
    await stores.positions.end(sub, room.key, isBack);
    if (!(await isBack())) await stores.added.remove(sub, room.key);
  } catch (err) {
    log.warn({ err }, 'the position of a former member could not be deleted');
  }
}
