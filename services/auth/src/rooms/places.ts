/** Whether a user may be in one more room, and a room may have one more member. */
import { RoomRefused } from './room-refused.ts';
import type { Stores } from './stores.ts';

export interface RoomLimits {
  membersPerRoom: number;
  roomsPerUser: number;
}

/**
 * Counted from lists, not from a counter that every join would write.
 *
 * Two joins at the same moment may both find the last place free, so a limit can be exceeded by
 * the joins that are under way.
 */
export class Places {
  readonly limits: RoomLimits;

  constructor(limits: RoomLimits) {
    this.limits = limits;
  }

  /** Throws TOO_MANY_ROOMS unless the user may be in one more, or is in the room of this key. */
  async checkRooms(stores: Stores, key: string | null, sub: string): Promise<void> {
    const { roomsPerUser } = this.limits;
    const { positions, complete } = await stores.positions.list(sub, roomsPerUser);
    if (positions.some(({ room }) => room === key)) return;
    if (!complete || positions.length >= roomsPerUser) throw new RoomRefused('TOO_MANY_ROOMS');
  }

  /** Throws ROOM_FULL unless the room has a place left, and a key for everybody who ever came. */
  async checkMembers(stores: Stores, key: string): Promise<void> {
    const { membersPerRoom } = this.limits;
    const { places, records } = await stores.members.census(key);
    if (places >= membersPerRoom || records >= 3 * membersPerRoom) throw new RoomRefused('ROOM_FULL');
  }
}
