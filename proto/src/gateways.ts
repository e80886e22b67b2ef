/** What gateways ask each other on `SUBJECTS.askGateways`, and how each says that it lives. */
import { z } from 'zod';
import { LIMITS } from './limits.ts';

const GatewayId = z.string().regex(/^[a-z0-9]{1,64}$/);
const Sub = z.string().min(1).max(LIMITS.idBytes);
const Key = z.string().min(3).max(1024);
/** Ids of connections come from clients here. */
const ConnectionId = z.string().min(1).max(LIMITS.idBytes);

/** On `SUBJECTS.gatewayAlive`, every two seconds. */
export const GatewayAlive = z.object({
  gateway: GatewayId,
  /** How long it has been there; an old one that nobody knew has users to be asked for. */
  ageMs: z.number().nonnegative(),
  /** Its last word: it has no connections any more. */
  leaving: z.boolean().optional(),
});
export type GatewayAlive = z.infer<typeof GatewayAlive>;

export const GatewayQuestion = z.discriminatedUnion('type', [
  z.object({ type: z.literal('room_presence'), key: Key }),
  z.object({ type: z.literal('stats') }),
  z.object({ type: z.literal('connection'), id: ConnectionId }),
  z.object({ type: z.literal('user_connections'), sub: Sub }),
  /** Sockets of /ws/logs. */
  z.object({ type: z.literal('log_sockets') }),
  /** Closes all of them; answered with how many there were. */
  z.object({ type: z.literal('disconnect_log_sockets') }),
]);
export type GatewayQuestion = z.infer<typeof GatewayQuestion>;

export const ConnectionRecord = z.object({
  connection_id: ConnectionId,
  user_id: Sub,
  dialect: z.string().max(64),
  /** Ids of the rooms it watches. */
  rooms: z.array(z.string().max(LIMITS.idBytes)).max(1_024),
  /** RFC 3339. */
  connected_at: z.string().max(40),
  gateway: GatewayId,
});
export type ConnectionRecord = z.infer<typeof ConnectionRecord>;

/** Most connections of one user that one gateway tells of. */
export const CONNECTIONS_TOLD = 256;

const Count = z.number().int().nonnegative();

export const GatewayAnswer = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('room_presence'),
    /** Of the last presence event of that gateway in the conversation; see `LiveEvent`. */
    n: Count,
    users: z.array(z.object({ sub: Sub, name: z.string().max(256).nullable() })).max(LIMITS.membersPerRoom),
    typing: z.array(Sub).max(LIMITS.membersPerRoom),
  }),
  z.object({
    type: z.literal('stats'),
    connections: Count,
    users: Count,
    rooms: Count,
    queuedMessages: Count,
    typing: Count,
    /** Base64 of 8-byte floats: 53 bits of a hash of each user, of at most 50,000. */
    userHashes: z.string().max(600_000),
    /** The same of each room, of at most 10,000. */
    roomHashes: z.string().max(120_000),
  }),
  z.object({ type: z.literal('connection'), found: ConnectionRecord.nullable() }),
  z.object({ type: z.literal('user_connections'), found: z.array(ConnectionRecord).max(CONNECTIONS_TOLD) }),
  z.object({ type: z.literal('log_sockets'), count: Count }),
  z.object({ type: z.literal('disconnect_log_sockets'), count: Count }),
]);
export type GatewayAnswer = z.infer<typeof GatewayAnswer>;

/** One of the answers to a question; every gateway that lives gives one. */
export const GatewayReply = z.object({ gateway: GatewayId, answer: GatewayAnswer });
export type GatewayReply = z.infer<typeof GatewayReply>;
