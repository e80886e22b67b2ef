/** A room as one user sees it. */
import type { Asker, Room, RoomView } from '@natter/proto';

export function viewOf(room: Room, who: Asker): RoomView {
  return { room, role: room.owner === who.sub ? 'owner' : 'member' };
}
