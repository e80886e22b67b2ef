/** A turn: one question of a person to an agent, as the gateway stores it in TURNS. */
import { z } from 'zod';
import { LIMITS } from './limits.ts';

/** 26 characters of base32: 130 bits of a digest, see the gateway's `run-id.ts`. */
const RUN_ID = /^[a-z0-9]{26}$/;
export const RunId = z.string().regex(RUN_ID);

/** The same as `RunId`, where a schema would cost more than what it guards. */
export function isRunId(text: string): boolean {
  return RUN_ID.test(text);
}

/** A tool server a client wants the run to use. Source: PROTOCOLS, fastchat-v1. */
export const ToolServer = z.object({
  name: z.string().min(1).max(64),
  protocol: z.literal('httpstream'),
  /** An http or https URL; whoever calls it applies the rules against SSRF. */
  url: z.string().max(2_048),
  description: z.string().max(1_000).optional(),
  headers: z.record(z.string().max(128), z.string().max(4_096)).optional(),
  auth: z.string().max(4_096).optional(),
});
export type ToolServer = z.infer<typeof ToolServer>;

/** What a client asks of the one who answers; unset means as configured. */
export const TurnOptions = z.object({
  /** Name of the agent that shall answer; unset: the classifier picks one. */
  agent: z.string().max(64).optional(),
  model: z.string().min(1).max(128).optional(),
  /** Used where it is allowed; else as configured, which is no error. Source: seeds/004. */
  modelPreference: z.string().min(1).max(128).optional(),
  provider: z.string().min(1).max(64).optional(),
  /** Put before the agent's own prompt. */
  systemPrompt: z.string().max(8_000).optional(),
  temperature: z.number().min(0).max(2).optional(),
  maxTokens: z.number().int().min(1).max(32_768).optional(),
  /** Messages of the transcript the model is shown. */
  contextMessages: z.number().int().min(0).max(100).optional(),
  toolServers: z.array(ToolServer).max(16).optional(),
  /** Tool servers that can't be used; the run says so in a note each. */
  refusedServers: z
    .array(z.object({ name: z.string().max(64), reason: z.string().max(200) }))
    .max(16)
    .optional(),
});
export type TurnOptions = z.infer<typeof TurnOptions>;

export const Turn = z.object({
  run: RunId,
  conversation: z.string().min(3).max(1024),
  /** The principal who asks. */
  sub: z.string().min(1).max(LIMITS.idBytes),
  /** What others call them; their `sub` when unset. */
  name: z.string().max(256).optional(),
  /** The client's id of the message, or one the gateway made. */
  messageId: z.string().min(1).max(LIMITS.idBytes),
  text: z.string().min(1).max(LIMITS.messageChars),
  /** Which of the principal's customers the tools act for; the principal themselves when null. */
  customerId: z.string().min(1).max(LIMITS.idBytes).nullable(),
  /** Milliseconds since 1970 at which the gateway took the question. */
  askedAt: z.number().int().nonnegative(),
  options: TurnOptions.optional(),
});
export type Turn = z.infer<typeof Turn>;
