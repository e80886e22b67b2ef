/** The frames by which session-v1 shows an answer. Source: seeds/002, Server to Client. */
import { ERRORS, type RunEnd } from '@natter/proto';

type Completed = Extract<RunEnd, { type: 'run.completed' }>;
type Failed = Extract<RunEnd, { type: 'run.failed' }>;
type Cancelled = Extract<RunEnd, { type: 'run.cancelled' }>;

/** `textJson` is escaped already: escaping all text anew per token costs the square of its length. */
export function partialFrame(textJson: string, cursor: string | null): string {
  const tail = cursor === null ? '' : `,"cursor":${JSON.stringify(cursor)}`;
  return `{"type":"agent_partial","content":"${textJson}"${tail}}`;
}

export function toolFrame(tool: string, result: string, cursor: string | null): string {
  return JSON.stringify({ type: 'tool', content: result, tool_name: tool, cursor: cursor ?? undefined });
}

/** `timestamp` and `metrics` are what the original may add. Source: PROTOCOLS, session-v1. */
export function agentFrame({ text, metadata }: Completed, atMs: number, cursor: string | null): string {
  const { agent, model, confidence, sources, usage, costUsd, responseMs } = metadata;
  return JSON.stringify({
    type: 'agent',
    content: text,
    timestamp: new Date(atMs).toISOString(),
    metrics: {
      agent,
      model,
      confidence,
      sources,
      input_tokens: usage?.inputTokens,
      output_tokens: usage?.outputTokens,
      cost_usd: costUsd,
      response_time_ms: responseMs,
    },
    cursor: cursor ?? undefined,
  });
}

/** The last frame of an answer that was stopped: what there is of it, marked. */
export function cancelledFrame({ text }: Cancelled, atMs: number, cursor: string | null): string {
  return JSON.stringify({
    type: 'agent',
    content: text,
    cancelled: true,
    timestamp: new Date(atMs).toISOString(),
    cursor: cursor ?? undefined,
  });
}

/** The seed puts the exception after `Agent error: `; ours never says what is inside. */
export function failedFrame({ code, correlationId }: Failed, cursor: string | null): string {
  return JSON.stringify({
    type: 'error',
    content: `Agent error: ${ERRORS[code].text}`,
    code,
    correlation_id: correlationId,
    cursor: cursor ?? undefined,
  });
}
