/** Who may be where: answers every request about rooms. */
import {
  type AccessManyRequest,
  type Asker,
  LIMITS,
  type Member,
  RESERVED_SUB_PREFIX,
  type Room,
  type RoomsReply,
  type RoomsRequest,
  type RoomView,
} from '@natter/proto';
import type { Logger } from '@natter/runtime';
import { inBatches } from '../in-batches.ts';
import { Entering } from './entering.ts';
import { endPosition, moderate, moderatedRoom } from './moderation.ts';
import { onlyNamed } from './only-named.ts';
import { Places, type RoomLimits } from './places.ts';
import { namedRoom, shownRoom } from './room-names.ts';
import { RoomRefused } from './room-refused.ts';
import { hasChosen, isMember } from './room-rules.ts';
import { viewOf } from './room-view.ts';
import type { Stores } from './stores.ts';
import { accessible, accessibleMany, roomsOf } from './whereabouts.ts';

export interface RoomsOptions {
  log: Logger;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Smaller ones than LIMITS, for tests. */
  limits?: Partial<RoomLimits>;
}

type Reply = Extract<RoomsReply, { ok: true }>;
type Asked<Op extends RoomsRequest['op']> = Extract<RoomsRequest, { op: Op }>;

/** Who shows no token is nobody: banned under one name, they would come back under the next. */
const ANONYMOUS = `${RESERVED_SUB_PREFIX}session:`;
/** Positions of a deleted room that are deleted at once. */
const BATCH = 32;
/** Deleted rooms that are cleaned up at once; positions in others go when their users' rooms are listed. */
const MAX_CLEANING = 64;
/** What `RoomsReply` has room for. */
const MAX_MEMBERS = 1_000;
/** Of the members in an answer, below the 2 MB of a message; 1,000 of them have 200 KB as a rule. */
const MAX_MEMBERS_BYTES = 1_500_000;

export class Rooms {
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #places: Places;
  readonly #entering: Entering;
  readonly #cleaning = new Set<Promise<void>>();
  #stopping = false;

  constructor({ log, now = Date.now, limits = {} }: RoomsOptions) {
    this.#log = log;
    this.#now = now;
    this.#places = new Places({ ...LIMITS, ...limits });
    this.#entering = new Entering(this.#places, now);
  }

  /** Throws RoomRefused, or BusError when the broker is away. */
  async answer(stores: Stores, request: RoomsRequest): Promise<Reply> {
    const { who } = request;
    if (who.sub.startsWith(ANONYMOUS)) throw new RoomRefused('ROOM_DENIED');
    switch (request.op) {
      case 'join':
        return only(await this.#entering.join(stores, request));
      case 'create':
        return this.#withMembers(stores, who, await this.#entering.create(stores, request));
      case 'get':
        return this.#get(stores, request);
      case 'update':
        return only(await this.#update(stores, request));
      case 'delete':
        return only(await this.#delete(stores, request));
      case 'leave':
        return only(await this.#leave(stores, request));
      case 'access':
        return { ok: true, rooms: await this.#access(stores, request) };
      case 'mine':
        return {
          ok: true,
          rooms: await roomsOf(stores, who, LIMITS.roomsPerUser + LIMITS.addedRoomsPerUser),
        };
      default:
        return only(
          await moderate(stores, request, { places: this.#places, now: this.#now, log: this.#log }),
        );
    }
  }

  /** Of many users whether each may be in a room; throws BusError when the broker is away. */
  async accesses(stores: Stores, asks: AccessManyRequest['asks']): Promise<(RoomView | null)[]> {
    const views = await accessibleMany(stores, asks);
    return views.map((view, index) => (asks[index]?.who.sub.startsWith(ANONYMOUS) ? null : view));
  }

  /** Ends what goes on after answers: waits for it for `ms`, then leaves the rest of it. */
  async stop(ms: number): Promise<void> {
    this.#stopping = true;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([Promise.all(this.#cleaning), late]);
    clearTimeout(timer);
  }

  async #access(stores: Stores, { who, keys, named }: Asked<'access'>): Promise<RoomView[]> {
    const views = await accessible(stores, who, keys, this.#now);
    return named ? onlyNamed(stores, who, views) : views;
  }

  async #get(stores: Stores, { who, id }: Asked<'get'>): Promise<Reply> {
    const { room } = await shownRoom(stores, who, id);
    return this.#withMembers(stores, who, viewOf(room, who));
  }

  async #update(stores: Stores, { who, id, name, ai }: Asked<'update'>): Promise<RoomView> {
    const room = await moderatedRoom(stores, who, id);
    const changed = await stores.rooms.change(room.key, {
      ...(name === undefined ? {} : { name }),
      ...(ai === undefined ? {} : { ai }),
    });
    // Deleted meanwhile.
    if (changed === null) throw new RoomRefused('ROOM_DENIED');
    return viewOf(changed, who);
  }

  async #delete(stores: Stores, { who, id }: Asked<'delete'>): Promise<RoomView> {
    const room = await moderatedRoom(stores, who, id);
    await stores.rooms.delete(room);
    if (room.type === 'private') await stores.positions.delete(who.sub, room.key);
    else this.#cleanUp(stores, room);
    return viewOf(room, who);
  }

  /**
   * Who leaves a private room keeps the conversation, without a name and a mode of the AI. A shared or
   * group room ends when its last member leaves, so that nobody's id and place is taken by it for ever.
   */
  async #leave(stores: Stores, { who, id }: Asked<'leave'>): Promise<RoomView> {
    const named = await namedRoom(stores, who, id);
    if (named === null) throw new RoomRefused('ROOM_DENIED');
    const { room } = named;
    if (room.type === 'private') {
      await stores.rooms.forget(room);
      await stores.positions.delete(who.sub, room.key);
      return viewOf(room, who);
    }
    const left = (now: Member | null): Member => {
      if (now?.state !== 'member' && now?.state !== 'invited') throw new RoomRefused('ROOM_DENIED');
      return { ...now, state: 'left', by: who.sub, at: this.#now() };
    };
    await stores.members.change(room.key, who.sub, left, named);
    await endPosition(stores, room, who.sub, this.#log);
    if (await stores.members.isDeserted(room.key)) {
      await stores.rooms.delete(room);
      this.#cleanUp(stores, room);
    }
    return viewOf(room, who);
  }

  /** Deletes positions and members of a deleted room, after the answer. */
  #cleanUp(stores: Stores, room: Room): void {
    if (this.#cleaning.size >= MAX_CLEANING) return;
    const done = this.#forgetMembers(stores, room)
      .catch((err: unknown) => this.#log.warn({ err }, 'members of a deleted room could not be deleted'))
      .finally(() => this.#cleaning.delete(done));
    this.#cleaning.add(done);
  }

  async #forgetMembers(stores: Stores, room: Room): Promise<void> {
    for await (const page of stores.members.pages(room.key)) {
      if (this.#stopping) return;
      await inBatches(page.filter(isMember), BATCH, async (member) => {
        await stores.positions.delete(member.sub, room.key);
        if (!hasChosen(member)) await stores.added.remove(member.sub, room.key);
      });
    }
    await stores.members.forgetRoom(room.key);
  }

  async #withMembers(stores: Stores, who: Asker, view: RoomView): Promise<Reply> {
    const members = await (view.room.type === 'private'
      ? [ownerOf(view.room, who)]
      : this.#members(stores, who, view.room));
    return { ...only(view), members };
  }

  async #members(stores: Stores, who: Asker, room: Room): Promise<Member[]> {
    const { members } = await stores.members.census(room.key);
    // A list may come from a replica that has not heard of them yet.
    const own = members.some(({ sub }) => sub === who.sub)
      ? null
      : await stores.members.get(room.key, who.sub);
    const all = own !== null && isMember(own) ? [...members.slice(0, MAX_MEMBERS - 1), own] : members;
    return fitting(all.toSorted((one, other) => one.at - other.at));
  }
}

/** As many of the members as one message surely holds: names may be long, and escaped sixfold. */
function fitting(members: Member[]): Member[] {
  let bytes = 0;
  const end = members.findIndex(({ sub, name, by }) => {
    bytes += 100 + 6 * (sub.length + (name?.length ?? 0) + by.length);
    return bytes > MAX_MEMBERS_BYTES;
  });
  return end === -1 ? members : members.slice(0, end);
}

/** The only member of a private room; no record says so. */
function ownerOf(room: Room, { sub, name }: Asker): Member {
  return { sub, name, role: 'owner', state: 'member', by: sub, at: room.createdAt };
}

function only(view: RoomView): Reply {
  return { ok: true, rooms: [view] };
}
