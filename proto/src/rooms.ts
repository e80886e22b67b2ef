/** Rooms: who may be where, and the requests by which gateways ask the auth service. */
import { z } from 'zod';
import { isClientId } from './ids.ts';
import { LIMITS } from './limits.ts';

/**
 * `private`: a user's own, with the AI; each user has private rooms of their own, so two users'
 * rooms of one id are different rooms. `shared`: everybody may join. `group`: members only.
 * Source: seeds/004, Room Types.
 */
export const RoomType = z.enum(['private', 'shared', 'group']);
export type RoomType = z.infer<typeof RoomType>;

/** Which messages the AI answers: all, those that mention `@ai` or `@assistant`, none. */
export const AiMode = z.enum(['always', 'mention', 'never']);
export type AiMode = z.infer<typeof AiMode>;

export const RoomId = z.string().refine(isClientId);
const Sub = z.string().refine(isClientId);
const RoomName = z.string().min(1).max(256);

export const Room = z.object({
  /** Key of its conversation on the bus: `roomKey`, of a private room `conversationKey`. */
  key: z.string().min(3).max(1024),
  id: RoomId,
  name: RoomName,
  type: RoomType,
  ai: AiMode,
  owner: Sub,
  createdAt: z.number().int().nonnegative(),
});
export type Room = z.infer<typeof Room>;

export const MemberRole = z.enum(['owner', 'member']);

/**
 * What a user is in a room. `invited` may join a group; `banned` may not come back, `removed`
 * (kicked) may, to a shared room, or to a group when invited again; `left` went by themselves.
 * `removed` and `left` are told to gateways, and not kept.
 */
export const Member = z.object({
  sub: Sub,
  name: z.string().max(256).nullable(),
  role: MemberRole,
  state: z.enum(['member', 'invited', 'banned', 'removed', 'left']),
  /** Who made it so. */
  by: Sub,
  at: z.number().int().nonnegative(),
});
export type Member = z.infer<typeof Member>;

/** Who asks. `admin`: may do in any room what its owner may. */
export const Asker = z.object({
  sub: Sub,
  name: z.string().max(256).nullable(),
  admin: z.boolean(),
});
export type Asker = z.infer<typeof Asker>;

const ask = { who: Asker, id: RoomId };

export const RoomsRequest = z.discriminatedUnion('op', [
  /**
   * Joins, and creates what doesn't exist. An id names the shared or group room of that id if
   * `who` may be there, else their own private one; with `type` shared or group it never falls
   * back to private.
   */
  z.object({
    op: z.literal('join'),
    ...ask,
    type: RoomType.nullable(),
    name: RoomName.nullable(),
    ai: AiMode.nullable(),
  }),
  /** ROOM_EXISTS when there is one of this id (of `who`, if private). */
  z.object({
    op: z.literal('create'),
    ...ask,
    type: RoomType,
    name: RoomName.nullable(),
    ai: AiMode.nullable(),
  }),
  /** ROOM_DENIED for rooms that `who` is no participant of, and for those that don't exist. */
  z.object({ op: z.literal('get'), ...ask }),
  z.object({ op: z.literal('update'), ...ask, name: RoomName.optional(), ai: AiMode.optional() }),
  z.object({ op: z.literal('delete'), ...ask }),
  z.object({ op: z.literal('leave'), ...ask }),
  /**
   * `add` makes them a member at once; `invite` lets them join. Whom others added to
   * LIMITS.addedRoomsPerUser rooms that they have not joined, `add` only invites.
   */
  z.object({
    op: z.enum(['invite', 'add', 'kick', 'ban', 'unban']),
    ...ask,
    user: Sub,
    userName: z.string().max(256).nullable().optional(),
  }),
  /**
   * Whether `who` may be in the rooms of these keys now; those they may are in the reply. With
   * `named` only those that their id means to `who`: not the namesake of a room of their own.
   */
  z.object({
    op: z.literal('access'),
    who: Asker,
    keys: z.array(z.string().max(1024)).max(256),
    named: z.boolean().optional(),
  }),
  /** The rooms `who` is a member of, at most 320. */
  z.object({ op: z.literal('mine'), who: Asker }),
]);
export type RoomsRequest = z.infer<typeof RoomsRequest>;

export const ROOM_ERRORS = [
  'ROOM_DENIED',
  'ROOM_EXISTS',
  'ROOM_FULL',
  'TOO_MANY_ROOMS',
  'NOT_MODERATOR',
  'INVALID_FIELD',
  'UNAVAILABLE',
] as const;

/** A room as `who` sees it. */
export const RoomView = z.object({
  room: Room,
  role: MemberRole,
  /** Whether this very request made the room, or them a member of it. */
  created: z.boolean().optional(),
  joined: z.boolean().optional(),
});
export type RoomView = z.infer<typeof RoomView>;

/** Most questions of one request: an answer is far below the 1 MiB that a broker takes at least. */
export const ACCESS_AT_ONCE = 128;

/** Whether users may be in shared and group rooms now: `access` of many users, a key each. */
export const AccessManyRequest = z.object({
  asks: z
    .array(z.object({ who: Asker, key: z.string().max(1024) }))
    .min(1)
    .max(ACCESS_AT_ONCE),
});
export type AccessManyRequest = z.infer<typeof AccessManyRequest>;

/** One room for each question, in their order; null where the user may not be there. */
export const AccessManyReply = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), views: z.array(RoomView.nullable()).max(ACCESS_AT_ONCE) }),
  z.object({ ok: z.literal(false), code: z.enum(['INVALID_FIELD', 'UNAVAILABLE']) }),
]);
export type AccessManyReply = z.infer<typeof AccessManyReply>;

export const RoomsReply = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    /** One for most requests, any number for `access` and `mine`. */
    rooms: z.array(RoomView).max(LIMITS.roomsPerUser + LIMITS.addedRoomsPerUser),
    /** Of `get` and `create`: members in the order of joining, at most 1,000. */
    members: z.array(Member).max(1_000).optional(),
  }),
  z.object({ ok: z.literal(false), code: z.enum(ROOM_ERRORS) }),
]);
export type RoomsReply = z.infer<typeof RoomsReply>;
