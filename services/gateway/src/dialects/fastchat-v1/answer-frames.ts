/** The frames by which fastchat-v1 shows an answer. Source: PROTOCOLS, fastchat-v1. */
import { ERRORS, type RunEvent } from '@natter/proto';
import type { Frames, RunText } from '../../session/dialect.ts';
import { END_MARKER, ERROR_STEP, NOTE_STEP, STEPS, stepFrame, timestamp } from './frames.ts';

/** The cursor stands on the last JSON frame of an event: from there on all of it is known. */
export function encodeEvent(event: RunEvent, run: RunText): Frames {
  const cursor = run.cursor ?? undefined;
  switch (event.type) {
    case 'run.started':
      return [JSON.stringify(stepFrame(...STEPS.decompose)), data({ querys: [event.text] }, cursor)];
    case 'step.started':
      if (event.step === 'agent_routing') {
        return JSON.stringify({ ...stepFrame(...STEPS.prompts), cursor });
      }
      return event.step === 'generating' ? beforeTheAnswer(run) : null;
    case 'agent.chosen':
      return data({ prompts: [event.agent] }, cursor);
    case 'tool.called':
      return data({ service: event.tool, result: event.result }, cursor);
    case 'run.noted':
      return JSON.stringify({ ...stepFrame(NOTE_STEP, event.text), cursor });
    case 'text.delta':
      return response(event.text, event.at === 0, { timestamp: timestamp(run.atMs) }, cursor);
    case 'run.completed': {
      const { agent, model, usage, costUsd } = event.metadata;
      const meta = {
        timestamp: timestamp(run.atMs),
        last_chunk: true,
        token_usage: usage && { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
        cost: costUsd ?? null,
        agent,
        model,
      };
      return [response('', event.text === '', meta, cursor), END_MARKER];
    }
    case 'run.cancelled': {
      const meta = { timestamp: timestamp(run.atMs), last_chunk: true, token_usage: null, cancelled: true };
      return [response('', event.text === '', meta, cursor), END_MARKER];
    }
    case 'run.failed': {
      const { code, correlationId: correlation_id } = event;
      return [
        JSON.stringify({ ...stepFrame(ERROR_STEP, ERRORS[code].text), code, correlation_id, cursor }),
        END_MARKER,
      ];
    }
    case 'run.resumed':
      return null;
  }
}

/** No tool is chosen yet; what the model calls while it speaks comes as `data` of its own. */
function beforeTheAnswer({ asked, cursor }: RunText): Frames {
  const chosen = { service: null, args: null };
  const first = JSON.stringify(stepFrame(...STEPS.service));
  if (asked === null) return [first, data(chosen, cursor ?? undefined)];
  const query = JSON.stringify({ type: 'query', query: asked.text, cursor: cursor ?? undefined });
  return [first, data(chosen, undefined), query];
}

function data(content: Record<string, unknown>, cursor: string | undefined): string {
  return JSON.stringify({ type: 'data', data: content, cursor });
}

/** `response` is what original clients read, `content` and `meta` what the seed describes. */
function response(delta: string, isFirst: boolean, meta: object, cursor: string | undefined): string {
  return JSON.stringify({
    type: 'response',
    response: delta,
    content: delta,
    first_chunk: isFirst,
    data: null,
    meta,
    cursor,
  });
}
