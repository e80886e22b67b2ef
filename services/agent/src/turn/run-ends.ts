/** The records of how a run can end. */
import type { AnswerMetadata, AssistantMessage, RUN_ERRORS, Turn } from '@natter/proto';
import type { Trace } from '@natter/runtime';

export function completed(turn: Turn, text: string, metadata: AnswerMetadata, at: number): AssistantMessage {
  // Clocks of gateway and agent may differ.
  const responseMs = Math.max(0, at - turn.askedAt);
  return {
    role: 'assistant',
    status: 'completed',
    run: turn.run,
    text,
    metadata: { ...metadata, responseMs },
    at,
  };
}

/** `text` is what has been published. */
export function failed(
  turn: Turn,
  text: string,
  trace: Trace,
  at: number,
  code: (typeof RUN_ERRORS)[number] = 'PROCESSING_ERROR',
): AssistantMessage {
  return {
    role: 'assistant',
    status: 'failed',
    run: turn.run,
    text,
    code,
    correlationId: trace.traceId,
    at,
  };
}

/** `text` is what has been published; `by` asked for it. */
export function cancelled(turn: Turn, text: string, by: string, at: number): AssistantMessage {
  return { role: 'assistant', status: 'cancelled', run: turn.run, text, by, at };
}
