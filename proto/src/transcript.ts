/** Transcripts: what MESSAGES keeps, one entry per message. */
import { z } from 'zod';
import { RUN_ERRORS } from './errors.ts';
import { LIMITS } from './limits.ts';
import { AnswerMetadata, type RunEnd } from './run-events.ts';
import { RunId } from './turn.ts';

export const UserMessage = z.object({
  role: z.literal('user'),
  run: RunId,
  id: z.string().min(1).max(LIMITS.idBytes),
  sub: z.string().min(1).max(LIMITS.idBytes),
  text: z.string(),
  at: z.number().int().nonnegative(),
});

/**
 * How a run ended. Written once per run, before its last event is published: whoever finds it
 * knows that the run is over and how, whatever became of the event.
 */
export const AssistantMessage = z.discriminatedUnion('status', [
  z.object({
    role: z.literal('assistant'),
    status: z.literal('completed'),
    run: RunId,
    text: z.string(),
    metadata: AnswerMetadata,
    at: z.number().int().nonnegative(),
  }),
  z.object({
    role: z.literal('assistant'),
    status: z.literal('failed'),
    run: RunId,
    /** What had been published before it failed. */
    text: z.string(),
    code: z.enum(RUN_ERRORS),
    correlationId: z.string().max(64),
    at: z.number().int().nonnegative(),
  }),
]);
export type AssistantMessage = z.infer<typeof AssistantMessage>;

export const TranscriptMessage = z.union([UserMessage, AssistantMessage]);
export type TranscriptMessage = z.infer<typeof TranscriptMessage>;

/** The event that ends a run, from the record of how it ended. */
export function runEndOf(message: AssistantMessage): RunEnd {
  if (message.status === 'completed') {
    return { type: 'run.completed', text: message.text, metadata: message.metadata };
  }
  return { type: 'run.failed', code: message.code, correlationId: message.correlationId };
}
