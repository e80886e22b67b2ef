/** Transcripts: what MESSAGES keeps, one entry per message. */
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { AnswerMetadata } from './run-events.ts';
import { RunId } from './turn.ts';

export const UserMessage = z.object({
  role: z.literal('user'),
  run: RunId,
  id: z.string().min(1).max(LIMITS.idBytes),
  sub: z.string().min(1).max(LIMITS.idBytes),
  text: z.string(),
  at: z.number().int().nonnegative(),
});

export const AssistantMessage = z.object({
  role: z.literal('assistant'),
  run: RunId,
  text: z.string(),
  metadata: AnswerMetadata,
  at: z.number().int().nonnegative(),
});
export type AssistantMessage = z.infer<typeof AssistantMessage>;

export const TranscriptMessage = z.discriminatedUnion('role', [UserMessage, AssistantMessage]);
export type TranscriptMessage = z.infer<typeof TranscriptMessage>;
