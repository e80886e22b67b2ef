/** Whether a user may be in one more room, and a room may have one more member. */
import { RoomRefused } from './room-refused.ts';
import { hasChosen, isMember } from './room-rules.ts';
import type { Stores } from './stores.ts';

export interface RoomLimits {
  membersPerRoom: number;
  roomsPerUser: number;
  addedRoomsPerUser: number;
  ownedRoomsPerUser: number;
}

/**
 * Counted by the broker, not in a counter that every join would write.
 *
 * Its count may have what a dead service left, so only where it reaches the limit the keys are listed.
 * Two joins at the same moment may both find the last place free, so a limit can be exceeded by
 * the joins that are under way, and those of other auth services within half a second.
 */
export class Places {
  readonly limits: RoomLimits;

  constructor(limits: RoomLimits) {
    this.limits = limits;
  }

  /**
   * Throws TOO_MANY_ROOMS unless the user may be in one more, or has joined the room of this key.
   *
   * Rooms that others added them to don't count: otherwise anybody could fill up anybody's places.
   */
  async checkRooms(stores: Stores, key: string | null, sub: string): Promise<void> {
    const { roomsPerUser, addedRoomsPerUser } = this.limits;
    if ((await stores.positions.count(sub)) < roomsPerUser) return;
    const added = new Set(await stores.added.list(sub, 2 * addedRoomsPerUser));
    const { positions, complete } = await stores.positions.list(sub, roomsPerUser + added.size);
    const own = positions.filter(({ room }) => !added.has(room));
    if (own.some(({ room }) => room === key)) return;
    if (!complete || own.length >= roomsPerUser) throw new RoomRefused('TOO_MANY_ROOMS');
  }

  /** Throws TOO_MANY_ROOMS unless the user may own one more. */
  async checkOwned(stores: Stores, sub: string): Promise<void> {
    const isGone = (room: string) => stores.rooms.isGone(room);
    if (await stores.owned.isFull(sub, this.limits.ownedRoomsPerUser, isGone))
      throw new RoomRefused('TOO_MANY_ROOMS');
  }

  /** Whether others may make a user a member of one more room. */
  async mayBeAdded(stores: Stores, sub: string): Promise<boolean> {
    const hasEnded = async (room: string) => {
      const member = await stores.members.get(room, sub);
      return !isMember(member) || hasChosen(member) || (await stores.rooms.byKey(room)) === null;
    };
    return !(await stores.added.isFull(sub, this.limits.addedRoomsPerUser, hasEnded));
  }

  /** Throws ROOM_FULL unless the room has a place left, and a key. */
  async checkMembers(stores: Stores, key: string): Promise<void> {
    const { membersPerRoom } = this.limits;
    if ((await stores.members.records(key)) < membersPerRoom) return;
    const { places, records } = await stores.members.census(key);
    if (places >= membersPerRoom || records >= 3 * membersPerRoom) throw new RoomRefused('ROOM_FULL');
  }
}
