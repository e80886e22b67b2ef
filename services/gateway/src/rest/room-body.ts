/** A room as HTTP clients see it. Source: PROTOCOLS, rooms-v1, Room. */
import type { Member, RoomView } from '@natter/proto';
import type { RoomNow } from '../cluster/presence.ts';

export function roomBody(
  { room, role }: RoomView,
  members: readonly Member[] | undefined,
  now: RoomNow,
  lastActivityMs: number | null,
) {
  const present = (members ?? []).filter(({ state }) => state === 'member');
  const participants = members === undefined ? [room.owner] : present.map(({ sub }) => sub);
  return {
    room_id: room.id,
    name: room.name,
    room_type: room.type,
    ai: room.ai,
    owner: room.owner,
    /** Of whoever asks. */
    role,
    participants,
    participants_count: participants.length,
    members: present.map((member) => ({ user_id: member.sub, name: member.name, role: member.role })),
    online: now.users.map(({ sub }) => sub),
    typing_users: now.typing,
    created_at: new Date(room.createdAt).toISOString(),
    last_activity: new Date(lastActivityMs ?? room.createdAt).toISOString(),
  };
}
