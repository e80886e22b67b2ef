/** Answers on rooms-v1: typing, text as it comes, one last frame. */
import type { RunEvent } from '@natter/proto';
import type { Frames, RunText } from '../../session/dialect.ts';
import { failedFrame } from './error-frames.ts';
import { ASSISTANT, frame, isoTime, where } from './wire.ts';

export function encodeEvent(event: RunEvent, run: RunText): Frames {
  switch (event.type) {
    case 'text.delta':
      return deltaFrame(event.text, run);
    case 'run.started':
      return typingFrame(true, run);
    // Each frame of an end has the cursor behind it: whoever got the first one must not get it again.
    case 'run.completed':
      return [completedFrame(event, run), typingFrame(false, run)];
    case 'run.cancelled':
      return [cancelledFrame(event, run), typingFrame(false, run)];
    case 'run.failed':
      return [failedFrame(event, run), typingFrame(false, run)];
    case 'tool.called':
      return frame('tool', { tool_name: event.tool, content: event.result, ...said(run) }, run.cursor);
    case 'run.noted':
      return frame('system', { message: event.text, ...said(run) }, run.cursor);
    case 'step.started':
    case 'agent.chosen':
    case 'run.resumed':
      return null;
  }
}

/** The AI types; in a conversation of the user's own `room_id` is null. */
function typingFrame(isTyping: boolean, run: RunText): string {
  const { conversation_id } = where(run);
  const data = { ...ASSISTANT, is_typing: isTyping, room_id: run.room, conversation_id, id: run.run };
  return frame('typing', data, run.cursor);
}

/** A token is encoded as often as the model says one: only the token itself is escaped for it. */
function deltaFrame(text: string, run: RunText): string {
  const { cursor } = run;
  const after = cursor === null ? '' : `,"cursor":${JSON.stringify(cursor)}`;
  return `{"type":"chat","data":{"role":"assistant","content":${JSON.stringify(text)},"streaming":true,"timestamp":"${isoTime(run.atMs)}",${restOf(run)}}${after}}`;
}

interface Rest {
  run: string;
  room: string | null;
  session: string;
  json: string;
}

/** By the run's first event, of which there is one object as long as the run is watched. */
const rests = new WeakMap<object, Rest>();

/** The fields that are the same in all frames of a run, as the inside of a JSON object. */
function restOf(run: RunText): string {
  if (run.asked === null) return insideOf(run);
  const { asked, run: id, room, session } = run;
  const known = rests.get(asked);
  if (known?.run === id && known.room === room && known.session === session) return known.json;
  const json = insideOf(run);
  rests.set(asked, { run: id, room, session, json });
  return json;
}

function insideOf(run: RunText): string {
  return JSON.stringify({ message_id: messageId(run), id: run.run, ...where(run) }).slice(1, -1);
}

/** The client's id of the question; null when nobody knows it any more. */
function messageId(run: RunText): string | null {
  return run.asked?.messageId ?? null;
}

function said(run: RunText) {
  return { message_id: messageId(run), id: run.run, timestamp: isoTime(run.atMs), ...where(run) };
}

/** What both ends of an answer say. `response` is for readers that came late; the seed has no such field. */
function lastOf(text: string, run: RunText) {
  return {
    role: 'assistant',
    content: '',
    streaming: false,
    done: true,
    response: text,
    message_id: run.run,
    id: run.run,
    reply_to: messageId(run),
    reply_to_user: run.asked?.sub ?? null,
    timestamp: isoTime(run.atMs),
    ...where(run),
  };
}

function completedFrame(event: Extract<RunEvent, { type: 'run.completed' }>, run: RunText): string {
  const { agent, confidence, sources, model, usage, costUsd = null, responseMs } = event.metadata;
  const data = {
    ...lastOf(event.text, run),
    tokens_used: usage === null ? null : usage.inputTokens + usage.outputTokens,
    model_used: model,
    // The seed's clients read one name or the other.
    cost: costUsd,
    cost_usd: costUsd,
    response_time: responseMs === undefined ? null : responseMs / 1_000,
    agent,
    confidence,
    sources,
  };
  return frame('chat', data, run.cursor);
}

/** The same shape; what a stopped answer has cost, nobody counted. */
function cancelledFrame(event: Extract<RunEvent, { type: 'run.cancelled' }>, run: RunText): string {
  const data = {
    ...lastOf(event.text, run),
    cancelled: true,
    cancelled_by: event.by,
    tokens_used: null,
    model_used: null,
    cost: null,
    cost_usd: null,
    response_time: null,
  };
  return frame('chat', data, run.cursor);
}
