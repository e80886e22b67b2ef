/** chat-v1: `/ws/chat`, JSON text frames. Source: seeds/001; see README.md of this folder. */
import { ERRORS, isClientId, type RunEvent } from '@natter/proto';
import type {
  Command,
  Decoded,
  Dialect,
  Notice,
  PlaceContext,
  PlaceEvent,
  RunText,
} from '../../session/dialect.ts';
import { parseObject } from '../json-object.ts';
import { openingOf } from '../opening.ts';
import { AuthFrame, CancelFrame, MessageFrame, STEP_TEXTS } from './frames.ts';

export const chatV1: Dialect = {
  name: 'chat-v1',
  path: '/ws/chat',
  closes: {},

  manner: {
    refusedToken: 'stays',
    tokenAtOpen: false,
    anonymous: false,
    watches: false,
    echo: false,
    heartbeat: false,
    sessionRate: false,
    originRefusal: 'http',
    offlineQueue: false,
    uploads: false,
  },

  open(handshake) {
    const opening = openingOf(handshake);
    const token = withoutBearer(handshake.query('token') ?? '');
    const session = handshake.query('session_id') || null;
    const usable = session === null || isClientId(session);
    return {
      ...opening,
      credential: token === '' ? null : { token, use: 'access' },
      session: usable ? session : null,
      problem: usable ? opening.problem : 'INVALID_FIELD',
    };
  },

  decode(bytes, isBinary) {
    if (isBinary) return { ok: false, code: 'INVALID_JSON' };
    const frame = parseObject(bytes);
    if (frame === null) return { ok: false, code: 'INVALID_JSON' };
    if (frame.type === 'message') return decodeMessage(frame);
    if (frame.type === 'auth') return decodeAuth(frame);
    if (frame.type === 'cancel') return decodeCancel(frame);
    return { ok: false, code: 'UNKNOWN_TYPE' };
  },

  encodeNotice,

  encodeRefused: (code, { correlationId }) =>
    JSON.stringify({
      type: 'auth_error',
      // Clients of the original know this one text; the code tells the rest.
      message: ERRORS.INVALID_TOKEN.text,
      code,
      correlation_id: correlationId,
    }),

  encodeError: (code, { correlationId, retryAfter }) =>
    JSON.stringify({
      type: 'error',
      error: ERRORS[code].text,
      code,
      correlation_id: correlationId,
      retry_after: retryAfter,
    }),

  encodeEvent,
  encodePlaceEvent,
};

/** The wire has few words for what isn't an answer: additions, which its clients pass over. */
function encodeNotice(notice: Notice): string | null {
  switch (notice.type) {
    case 'connected': {
      const { sub, email, name } = notice.principal;
      return JSON.stringify({
        type: 'auth_success',
        message: 'Authentication successful',
        user: { id: sub, email, name },
      });
    }
    case 'resumed':
      return JSON.stringify({
        type: 'resumed',
        session_id: notice.place.session,
        recovered: notice.recovered,
      });
    case 'transcript':
      return JSON.stringify({
        type: 'transcript',
        session_id: notice.place.session,
        messages: notice.messages.map(({ role, id, sub, text, at, editedAt, deletedAt }) => ({
          role,
          message_id: id,
          user_id: sub,
          content: text,
          at,
          edited_at: editedAt,
          deleted_at: deletedAt,
        })),
        cursor: notice.cursor ?? undefined,
      });
    case 'cancel':
      return JSON.stringify({ type: 'cancel', status: notice.status, message_id: notice.messageId });
    case 'left':
      return JSON.stringify({ type: 'left', room_id: notice.room, reason: notice.why });
    default:
      return null;
  }
}

/** What people say in a room that a client of this wire watches; for its own `ask` it has no frame. */
function encodePlaceEvent(event: PlaceEvent, context: PlaceContext): string | null {
  const place = { session_id: context.session, cursor: context.cursor ?? undefined };
  switch (event.type) {
    case 'message.posted':
      return JSON.stringify({
        type: 'user_message',
        message: event.text,
        message_id: event.id,
        id: event.run,
        user_id: event.sub,
        username: event.name,
        ...place,
      });
    case 'message.edited':
      return JSON.stringify({ type: 'message_edited', id: event.run, message: event.text, ...place });
    case 'message.deleted':
      return JSON.stringify({ type: 'message_deleted', id: event.run, ...place });
    default:
      return null;
  }
}

function encodeEvent(event: RunEvent, run: RunText): string | null {
  switch (event.type) {
    case 'text.delta': {
      const cursor = run.cursor === null ? '' : `,"cursor":"${run.cursor}"`;
      return `{"type":"token","token":${JSON.stringify(event.text)},"partial_response":"${run.textJson}"${cursor}}`;
    }
    case 'step.started':
      return JSON.stringify({
        type: 'progress',
        step: event.step,
        message: STEP_TEXTS[event.step],
        cursor: run.cursor ?? undefined,
      });
    case 'run.completed': {
      const { agent, confidence, sources, model, usage } = event.metadata;
      return JSON.stringify({
        type: 'complete',
        response: event.text,
        session_id: run.session,
        cursor: run.cursor ?? undefined,
        metadata: {
          agent,
          confidence,
          context: { sources },
          model,
          usage: usage && { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
        },
      });
    }
    case 'run.failed':
      return JSON.stringify({
        type: 'error',
        error: ERRORS[event.code].text,
        code: event.code,
        correlation_id: event.correlationId,
        session_id: run.session,
        cursor: run.cursor ?? undefined,
      });
    case 'run.cancelled':
      return JSON.stringify({
        type: 'complete',
        response: event.text,
        session_id: run.session,
        cancelled: true,
        cursor: run.cursor ?? undefined,
        metadata: { context: { sources: [] } },
      });
    default:
      return null;
  }
}

function decodeMessage(frame: Record<string, unknown>): Decoded {
  const parsed = MessageFrame.safeParse(frame);
  if (!parsed.success) return { ok: false, code: 'INVALID_FIELD' };
  const { message, session_id, customer_id, message_id } = parsed.data;
  const command: Command = {
    type: 'ask',
    text: message,
    session: session_id,
    customerId: customer_id,
    messageId: message_id,
  };
  return { ok: true, command };
}

function decodeAuth(frame: Record<string, unknown>): Decoded {
  const parsed = AuthFrame.safeParse(frame);
  // A token of the wrong shape is a wrong token; the wire has a frame for that.
  const token = parsed.success ? withoutBearer(parsed.data.token) : '';
  return { ok: true, command: { type: 'authenticate', token } };
}

/** Natter's addition: stops an answer; without `message_id`, the one that is under way. */
function decodeCancel(frame: Record<string, unknown>): Decoded {
  const parsed = CancelFrame.safeParse(frame);
  if (!parsed.success) return { ok: false, code: 'INVALID_FIELD' };
  const { session_id: conversation, message_id } = parsed.data;
  const target = { room: null, conversation, messageId: message_id ?? '', user: null };
  return { ok: true, command: { type: 'cancel', target } };
}

/** The original drops a leading `Bearer `. */
function withoutBearer(token: string): string {
  return token.startsWith('Bearer ') ? token.slice('Bearer '.length).trim() : token.trim();
}
