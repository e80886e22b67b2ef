/** Who may do what in a room: pure, from the room, what somebody is in it, and who asks. */
import type { Asker, Member, Room, RoomsRequest } from '@natter/proto';
import { RoomRefused } from './room-refused.ts';

/** What an owner or an admin does with another user. */
export type ModerationOp = Extract<RoomsRequest, { user: string }>['op'];

/** Whether somebody is in the room now. */
export function isMember(member: Member | null): boolean {
  return member?.state === 'member';
}

/** Whether somebody is in the room by a join of their own: who added them is not them. */
export function hasChosen(member: Member | null): boolean {
  return member?.state === 'member' && member.by === member.sub;
}

/** Whether this counts against the members that a room may have. */
export function takesPlace(member: Member | null): boolean {
  return member !== null && member.state !== 'left' && member.state !== 'removed';
}

/** Owner or admin. An owner who left is still the owner. */
export function isModerator(room: Room, who: Asker): boolean {
  return who.admin || room.owner === who.sub;
}

/** Whether the room and its members are shown to somebody. */
export function isParticipant(room: Room, member: Member | null, who: Asker): boolean {
  return isMember(member) || isModerator(room, who);
}

/**
 * Whether somebody may join.
 *
 * A ban holds for admins too, until they lift it: otherwise it would end by itself when an
 * admin's client reconnects.
 */
export function mayJoin(room: Room, member: Member | null, who: Asker): boolean {
  if (member?.state === 'banned') return false;
  if (room.type === 'shared' || isModerator(room, who)) return true;
  return member?.state === 'member' || member?.state === 'invited';
}

/**
 * What a user becomes by `op`; null when they stay what they are, so that a repeat is harmless.
 *
 * Throws RoomRefused: nobody kicks or bans the owner; a banned user is not invited or added, but
 * unbanned first.
 */
export function moderated(op: ModerationOp, room: Room, user: string, now: Member | null): State | null {
  const state = now?.state ?? null;
  if (user === room.owner && (op === 'kick' || op === 'ban')) throw new RoomRefused('NOT_MODERATOR');
  if (state === 'banned' && (op === 'invite' || op === 'add')) throw new RoomRefused('INVALID_FIELD');
  switch (op) {
    case 'invite':
      return state === 'member' || state === 'invited' ? null : 'invited';
    case 'add':
      return state === 'member' ? null : 'member';
    case 'kick':
      return state === 'member' || state === 'invited' ? 'removed' : null;
    case 'ban':
      return state === 'banned' ? null : 'banned';
    case 'unban':
      return state === 'banned' ? 'removed' : null;
  }
}

type State = Member['state'];
