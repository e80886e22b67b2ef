/** Whether a user may be in one more room, and a room may have one more member. */
import { RoomRefused } from './room-refused.ts';
import type { Stores } from './stores.ts';

export interface RoomLimits {
  membersPerRoom: number;
  roomsPerUser: number;
}

/**
 * Counted by the broker, not in a counter that every join would write.
 *
 * Its count has those who left as well, so only where it reaches the limit the keys are listed.
 * Two joins at the same moment may both find the last place free, so a limit can be exceeded by
 * the joins that are under way, and those of other auth services within half a second.
 */
export class Places {
  readonly limits: RoomLimits;

  constructor(limits: RoomLimits) {
    this.limits = limits;
  }

  /** Throws TOO_MANY_ROOMS unless the user may be in one more, or is in the room of this key. */
  async checkRooms(stores: Stores, key: string | null, sub: string): Promise<void> {
    const { roomsPerUser } = this.limits;
    if ((await stores.positions.count(sub)) < roomsPerUser) return;
    const { positions, complete } = await stores.positions.list(sub, roomsPerUser);
    if (positions.some(({ room }) => room === key)) return;
    if (!complete || positions.length >= roomsPerUser) throw new RoomRefused('TOO_MANY_ROOMS');
  }

  /** Throws ROOM_FULL unless the room has a place left, and a key for everybody who ever came. */
  async checkMembers(stores: Stores, key: string): Promise<void> {
    const { membersPerRoom } = this.limits;
    if ((await stores.members.records(key)) < membersPerRoom) return;
    const { places, records } = await stores.members.census(key);
    if (places >= membersPerRoom || records >= 3 * membersPerRoom) throw new RoomRefused('ROOM_FULL');
  }
}
