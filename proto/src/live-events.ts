/** What gateways tell each other and nobody stores: typing, presence, other devices. */
import { z } from 'zod';
import { LIMITS } from './limits.ts';

const Sub = z.string().min(1).max(LIMITS.idBytes);
const Name = z.string().max(256).nullable();

/** On `SUBJECTS.liveOut`. */
export const LiveEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('typing'),
    sub: Sub,
    name: Name,
    isTyping: z.boolean(),
    /** Id of the connection they type on. */
    connection: z.string().max(64),
  }),
  /** Who of a room is on one gateway has changed; `n` counts the changes there, and never goes back. */
  z.object({
    type: z.literal('presence'),
    gateway: z.string().max(64),
    n: z.number().int().positive(),
    /** Nobody of the room was on that gateway before this. */
    first: z.boolean().optional(),
    came: z.array(z.object({ sub: Sub, name: Name })).max(256),
    went: z.array(Sub).max(256),
  }),
  /** Somebody uploads a file for the conversation. */
  z.object({
    type: z.literal('file.progress'),
    file: z.string().max(64),
    name: z.string().max(255),
    size: z.number().int().nonnegative(),
    received: z.number().int().nonnegative(),
    status: z.enum(['receiving', 'quarantined', 'refused', 'cancelled']),
    sub: Sub,
    subName: Name,
    /** Id of the connection that uploads; it is told apart. */
    connection: z.string().max(64),
  }),
]);
export type LiveEvent = z.infer<typeof LiveEvent>;

/** On `SUBJECTS.userOut`: a run of theirs has begun in a conversation of their own. */
export const UserEvent = z.object({
  type: z.literal('run.begun'),
  conversation: z.string().min(3).max(1024),
  run: z.string().max(64),
  /** Connection that asked; it has the stream already. */
  connection: z.string().max(64),
  /** Of the question in MESSAGES; unset when its gateway doesn't know it. */
  seq: z.number().int().positive().optional(),
});
export type UserEvent = z.infer<typeof UserEvent>;
