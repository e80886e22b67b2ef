/** A turn: one question of a person to an agent, as the gateway stores it in TURNS. */
import { z } from 'zod';
import { LIMITS } from './limits.ts';

/** 26 characters of base32: 130 bits of a digest, see the gateway's `run-id.ts`. */
export const RunId = z.string().regex(/^[a-z0-9]{26}$/);

export const Turn = z.object({
  run: RunId,
  conversation: z.string().min(3).max(1024),
  /** The principal who asks. */
  sub: z.string().min(1).max(LIMITS.idBytes),
  /** The client's id of the message, or one the gateway made. */
  messageId: z.string().min(1).max(LIMITS.idBytes),
  text: z.string().min(1).max(LIMITS.messageChars),
  /** Which of the principal's customers the tools act for; the principal themselves when null. */
  customerId: z.string().min(1).max(LIMITS.idBytes).nullable(),
  /** Milliseconds since 1970 at which the gateway took the question. */
  askedAt: z.number().int().nonnegative(),
});
export type Turn = z.infer<typeof Turn>;
