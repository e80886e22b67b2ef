/** session-v1: `/ws/{session_id}`, JSON text frames. Source: seeds/002; see README.md of this folder. */
import { ERRORS, type ErrorCode, isClientId, type RunEvent } from '@natter/proto';
import type {
  Command,
  Decoded,
  Dialect,
  ErrorDetail,
  Frames,
  Handshake,
  Manner,
  Notice,
  PlaceContext,
  PlaceEvent,
  RunText,
} from '../../session/dialect.ts';
import { parseObject } from '../json-object.ts';
import { openingOf } from '../opening.ts';
import { agentFrame, cancelledFrame, failedFrame, partialFrame, toolFrame } from './answer-frames.ts';
import { CancelFrame, QuestionFrame } from './frames.ts';
import { deletedFrame, editedFrame, transcriptFrame, userFrame } from './place-frames.ts';

const NOTHING: Decoded = { ok: true, command: { type: 'nothing' } };

/** The seed's client shows "Invalid session" for 4001 and reconnects after anything else. */
const manner: Manner = {
  refusedToken: 'invalidSession',
  tokenAtOpen: true,
  anonymous: true,
  watches: true,
  echo: true,
  heartbeat: true,
  sessionRate: true,
  originRefusal: 'close',
  offlineQueue: false,
  uploads: false,
};

export const sessionV1: Dialect = {
  name: 'session-v1',
  path: '/ws/:session_id',
  manner,
  closes: {},

  open(handshake) {
    const opening = openingOf(handshake);
    const session = handshake.param();
    const token = tokenOf(handshake);
    const isUsable = isClientId(session);
    return {
      ...opening,
      credential: token === '' ? null : { token, use: 'access' },
      session: isUsable ? session : null,
      options: { ...opening.options, agent: 'explorer' },
      problem: isUsable ? opening.problem : 'INVALID_FIELD',
    };
  },

  decode(bytes, isBinary) {
    if (isBinary) return { ok: false, code: 'INVALID_JSON' };
    const frame = parseObject(bytes);
    if (frame === null) return { ok: false, code: 'INVALID_JSON' };
    if (typeof frame.content === 'string' && frame.content !== '') return decodeQuestion(frame);
    if (frame.type === 'cancel') return decodeCancel(frame);
    // The original goes on in silence when there is no content; `pong` answers our `ping`.
    return NOTHING;
  },

  encodeRefused: encodeError,
  encodeError,
  encodeNotice,
  encodeEvent,
  encodePlaceEvent,
};

function encodeError(code: ErrorCode, { correlationId, retryAfter, messageId }: ErrorDetail): string {
  return JSON.stringify({
    type: 'error',
    content: ERRORS[code].text,
    code,
    correlation_id: correlationId,
    retry_after: retryAfter,
    message_id: messageId,
  });
}

function encodeNotice(notice: Notice): Frames {
  switch (notice.type) {
    case 'heartbeat':
      return '{"type":"ping"}';
    case 'cancel':
      return JSON.stringify({ type: 'cancel', status: notice.status, message_id: notice.messageId });
    case 'resumed':
      return JSON.stringify({ type: 'resumed', recovered: notice.recovered });
    case 'transcript':
      return transcriptFrame(notice);
    case 'left':
      return JSON.stringify({ type: 'left', room_id: notice.room, reason: notice.why });
    case 'connected':
    case 'pong':
    case 'confirmed':
    case 'joined':
    case 'moderated':
    case 'queue_cut':
    case 'upload':
    case 'uploaded':
      return null;
  }
}

function encodeEvent(event: RunEvent, run: RunText): Frames {
  switch (event.type) {
    case 'text.delta':
      return partialFrame(run.textJson, run.cursor);
    case 'tool.called':
      return toolFrame(event.tool, event.result, run.cursor);
    case 'run.completed':
      return afterPartial(run, agentFrame(event, run.atMs, run.cursor));
    case 'run.cancelled':
      return afterPartial(run, cancelledFrame(event, run.atMs, run.cursor));
    case 'run.failed':
      return failedFrame(event, run.cursor);
    case 'run.started':
    case 'step.started':
    case 'agent.chosen':
    case 'run.noted':
    case 'run.resumed':
      return null;
  }
}

/** At least one partial comes before an answer, an empty one too. Source: PROTOCOLS, session-v1. */
function afterPartial(run: RunText, end: string): Frames {
  // The cursor stands on the end: nobody must resume between the two.
  return run.text === '' ? [partialFrame('', null), end] : end;
}

/** Edits and deletions name a message by an id that only the frames of a room have. */
function encodePlaceEvent(event: PlaceEvent, context: PlaceContext): Frames {
  if (event.type === 'message.posted') return userFrame(event, context);
  if (context.room === null) return null;
  if (event.type === 'message.edited') return editedFrame(event.run, event.text, context.cursor);
  return event.type === 'message.deleted' ? deletedFrame(event.run, context.cursor) : null;
}

function decodeQuestion(frame: Record<string, unknown>): Decoded {
  const parsed = QuestionFrame.safeParse(frame);
  if (!parsed.success) return { ok: false, code: 'INVALID_FIELD', detail: 'message_id' };
  const command: Command = {
    type: 'ask',
    text: parsed.data.content,
    session: null,
    customerId: null,
    messageId: parsed.data.message_id,
  };
  return { ok: true, command };
}

function decodeCancel(frame: Record<string, unknown>): Decoded {
  const parsed = CancelFrame.safeParse(frame);
  if (!parsed.success) return { ok: false, code: 'INVALID_FIELD', detail: 'message_id' };
  const messageId = parsed.data.message_id ?? '';
  return {
    ok: true,
    command: { type: 'cancel', target: { room: null, conversation: null, messageId, user: null } },
  };
}

/** From the query, as browsers can't set headers, else from `Authorization: Bearer`. Empty: none. */
function tokenOf(handshake: Handshake): string {
  const query = (handshake.query('token') ?? '').replace(/^Bearer /, '').trim();
  return query || (/^Bearer +(.+)$/i.exec(handshake.header('authorization'))?.[1]?.trim() ?? '');
}
