/** Frames of chat-v1, wire-exact. Source: seeds/001, Protocol. */
import { isClientId, LIMITS } from '@natter/proto';
import { z } from 'zod';

/** Clients send null for "none" (the seed's own JavaScript class does), forms send an empty text. */
const OptionalId = z
  .string()
  .refine((id) => id === '' || isClientId(id))
  .nullish()
  .transform((id) => id || null);

export const AuthFrame = z.object({
  type: z.literal('auth'),
  token: z.string().max(LIMITS.tokenBytes + 'Bearer '.length),
});

export const MessageFrame = z.object({
  type: z.literal('message'),
  /** A missing message is an empty one: the wire has a code for that. */
  message: z
    .unknown()
    .optional()
    .transform((value) => (typeof value === 'string' ? value : '')),
  session_id: OptionalId,
  customer_id: OptionalId,
  /** Natter's addition: the same id sent again is the same question. */
  message_id: OptionalId,
});

export const CancelFrame = z.object({
  type: z.literal('cancel'),
  session_id: OptionalId,
  message_id: OptionalId,
});

/** Texts of the steps. Source: PROTOCOLS, chat-v1. */
export const STEP_TEXTS = {
  starting: 'Processing your question...',
  agent_routing: 'Routing to the right expert...',
  rag_retrieval: 'Searching knowledge base...',
  generating: 'Generating response...',
} as const;
