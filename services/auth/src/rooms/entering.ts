/** Joining and creating rooms. */
import type { Asker, Member, Room, RoomsRequest, RoomView } from '@natter/proto';
import { BusError } from '@natter/runtime';
import type { Places } from './places.ts';
import { type Named, namedRoom, privateRoom, publicRoom } from './room-names.ts';
import { RoomRefused } from './room-refused.ts';
import { hasChosen, isMember, mayJoin, takesPlace } from './room-rules.ts';
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
      else if (found === null || found.room.type === 'private')
        view = await this.#enterPrivate(stores, draft, found?.room ?? null);
      else view = await this.#enter(stores, found, who);
      if (view !== null) return view;
    }
    throw new BusError('UNAVAILABLE', 'the room is made and deleted all the time');
  }

  async create(stores: Stores, { who, id, type, name, ai }: Create): Promise<RoomView> {
    const draft = this.#draft(who, { id, type, name, ai });
    const view =
      type === 'private'
        ? await this.#enterPrivate(stores, draft, await stores.rooms.ownedBy(who.sub, id))
        : await this.#makePublic(stores, draft, who);
    if (!view?.created) throw new RoomRefused('ROOM_EXISTS');
    return view;
  }

  async #roomToJoin(stores: Stores, who: Asker, id: string, type: Join['type']): Promise<Named | null> {
    if (type === null) return namedRoom(stores, who, id);
    return type === 'private' ? privateRoom(stores, who.sub, id) : publicRoom(stores, who.sub, id);
  }

  /** `before`: the room as it was just read. */
  async #enterPrivate(stores: Stores, draft: Draft, before: Room | null): Promise<RoomView> {
    const { owner } = draft;
    if (before !== null && (await stores.positions.has(owner, before.key)))
      return { room: before, role: 'owner', created: false, joined: false };
    await this.#places.checkRooms(stores, before?.key ?? null, owner);
    const { room, made } = await stores.rooms.makePrivate(draft);
    await stores.positions.ensure(owner, room.key);
    return { room, role: 'owner', created: made, joined: made };
  }

  /** Null where there is a room of this id by now. */
  async #makePublic(stores: Stores, draft: Draft, who: Asker): Promise<RoomView | null> {
    await Promise.all([
      this.#places.checkRooms(stores, null, who.sub),
      this.#places.checkOwned(stores, who.sub),
    ]);
    const room = await stores.rooms.makePublic(draft);
    const view =
      room === null ? null : await this.#enter(stores, { room, member: null, revision: null }, who);
    return view === null ? null : { ...view, created: true };
  }

  /** Makes `who` a member, unless they are; null when the room was deleted meanwhile. */
  async #enter(stores: Stores, found: Named, who: Asker): Promise<RoomView | null> {
    const { room, member: before } = found;
    if (!mayJoin(room, before, who)) throw new RoomRefused('ROOM_DENIED');
    const { role } = viewOf(room, who);
    if (hasChosen(before)) {
      // Reads only, as a rule: after a restart of a gateway everybody comes back at once.
      await stores.positions.ensure(who.sub, room.key);
      return { room, role, created: false, joined: false };
    }
    await Promise.all([
      this.#places.checkRooms(stores, room.key, who.sub),
      takesPlace(before) ? null : this.#places.checkMembers(stores, room.key),
    ]);
    let joined = false;
    const chosen = (now: Member | null): Member | null => {
      // Banned while we looked at the rest.
      if (!mayJoin(room, now, who)) throw new RoomRefused('ROOM_DENIED');
      joined ||= !isMember(now);
      if (hasChosen(now)) return null;
      const at = now !== null && isMember(now) ? now.at : this.#now();
      return { sub: who.sub, name: who.name, role, state: 'member', by: who.sub, at };
    };
    await stores.members.change(room.key, who.sub, chosen, found);
    // Not before they are a member: a list of their rooms, or the end of a kick, would delete it.
    const [still] = await Promise.all([
      stores.rooms.byKey(room.key),
      joined ? stores.positions.begin(who.sub, room.key) : stores.positions.ensure(who.sub, room.key),
    ]);
    // Whether somebody had added them: from here on it counts as theirs.
    if (isMember(before)) await stores.added.remove(who.sub, room.key);
    if (still !== null) return { room: still, role, created: false, joined };
    // Deleted after we found it: nobody would tell this member.
    await stores.positions.delete(who.sub, room.key);
    await stores.members.forgetMember(room.key, who.sub);
    return null;
  }

  #draft(who: Asker, { id, type, name, ai }: Pick<Create, 'id' | 'type' | 'name' | 'ai'>): Draft {
    return { id, name: name ?? id, type, ai: ai ?? 'always', owner: who.sub, createdAt: this.#now() };
  }
}
