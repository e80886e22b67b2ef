/** Joining and creating rooms. */
import type { Asker, Room, RoomsRequest, RoomView } from '@natter/proto';
import { BusError } from '@natter/runtime';
import type { Places } from './places.ts';
import { namedRoom } from './room-names.ts';
import { RoomRefused } from './room-refused.ts';
import { isMember, mayJoin, takesPlace } from './room-rules.ts';
import { viewOf } from './room-view.ts';
import type { Stores } from './stores.ts';

type Join = Extract<RoomsRequest, { op: 'join' }>;
type Create = Extract<RoomsRequest, { op: 'create' }>;
type Draft = Omit<Room, 'key'>;

/** A room may be deleted, or made by somebody else, between our looking and our writing. */
const MAX_TRIES = 8;

export class Entering {
  readonly #places: Places;
  readonly #now: () => number;

  constructor(places: Places, now: () => number) {
    this.#places = places;
    this.#now = now;
  }

  async join(stores: Stores, { who, id, type, name, ai }: Join): Promise<RoomView> {
    const draft = this.#draft(who, { id, type: type ?? 'private', name, ai });
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const found = await this.#roomToJoin(stores, who, id, type);
      let view: RoomView | null;
      if (found === null && draft.type !== 'private') view = await this.#makePublic(stores, draft, who);
      else if (found === null || found.type === 'private') view = await this.#enterPrivate(stores, draft);
      else view = await this.#enter(stores, found, who);
      if (view !== null) return view;
    }
    throw new BusError('UNAVAILABLE', 'the room is made and deleted all the time');
  }

  async create(stores: Stores, { who, id, type, name, ai }: Create): Promise<RoomView> {
    const draft = this.#draft(who, { id, type, name, ai });
    const view =
      type === 'private'
        ? await this.#enterPrivate(stores, draft)
        : await this.#makePublic(stores, draft, who);
    if (!view?.created) throw new RoomRefused('ROOM_EXISTS');
    return view;
  }

  async #roomToJoin(stores: Stores, who: Asker, id: string, type: Join['type']): Promise<Room | null> {
    if (type === null) return (await namedRoom(stores, who, id))?.room ?? null;
    return type === 'private' ? stores.rooms.ownedBy(who.sub, id) : stores.rooms.byId(id);
  }

  async #enterPrivate(stores: Stores, draft: Draft): Promise<RoomView> {
    const { owner } = draft;
    const before = await stores.rooms.ownedBy(owner, draft.id);
    if (before === null || !(await stores.positions.has(owner, before.key)))
      await this.#places.checkRooms(stores, before?.key ?? null, owner);
    const { room, made } = await stores.rooms.makePrivate(draft);
    await stores.positions.ensure(owner, room.key);
    return { room, role: 'owner', created: made, joined: made };
  }

  /** Null where there is a room of this id by now. */
  async #makePublic(stores: Stores, draft: Draft, who: Asker): Promise<RoomView | null> {
    await this.#places.checkRooms(stores, null, who.sub);
    const room = await stores.rooms.makePublic(draft);
    const view = room === null ? null : await this.#enter(stores, room, who);
    return view === null ? null : { ...view, created: true };
  }

  /** Makes `who` a member; null when the room was deleted meanwhile. */
  async #enter(stores: Stores, room: Room, who: Asker): Promise<RoomView | null> {
    const before = await stores.members.get(room.key, who.sub);
    if (!mayJoin(room, before, who)) throw new RoomRefused('ROOM_DENIED');
    if (!isMember(before)) await this.#places.checkRooms(stores, room.key, who.sub);
    if (!takesPlace(before)) await this.#places.checkMembers(stores, room.key);
    const { role } = viewOf(room, who);
    let joined = false;
    await stores.members.change(room.key, who.sub, (now) => {
      // Banned while we looked at the rest.
      if (!mayJoin(room, now, who)) throw new RoomRefused('ROOM_DENIED');
      joined ||= !isMember(now);
      const chosen = now !== null && isMember(now);
      if (chosen && now.by === who.sub) return null;
      const at = chosen ? now.at : this.#now();
      return { sub: who.sub, name: who.name, role, state: 'member', by: who.sub, at };
    });
    // Deleted after we found it: nobody would tell this member.
    const still = await stores.rooms.byKey(room.key);
    if (still === null) return null;
    if (joined) await stores.positions.begin(who.sub, room.key);
    else await stores.positions.ensure(who.sub, room.key);
    return { room: still, role, created: false, joined };
  }

  #draft(who: Asker, { id, type, name, ai }: Pick<Create, 'id' | 'type' | 'name' | 'ai'>): Draft {
    return { id, name: name ?? id, type, ai: ai ?? 'always', owner: who.sub, createdAt: this.#now() };
  }
}
