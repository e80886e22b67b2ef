/** The four chat wires in words that none of them owns, for tests that run on each of them. */
import type { Frame } from '@natter/testkit';

/** What a connection is about. */
export interface Visit {
  /** An access token: all wires take it. */
  token: string;
  /** A room; or else a conversation of the user's own. */
  room?: string;
  conversation?: string;
  /** More parameters of the query. */
  query?: Record<string, string>;
}

/** What one frame says, as far as these tests care. */
export type Seen =
  /** New text of an answer; `run` where the wire tells it. */
  | { kind: 'delta'; run: string | null; text: string }
  /** All text of an answer so far. */
  | { kind: 'so far'; text: string }
  /** The terminal frame. `text`: the whole answer, where the wire has it. */
  | { kind: 'end'; run: string | null; status: End; text: string | null; code?: string }
  /** fastchat-v1's `--eof`. */
  | { kind: 'eof' }
  /** `key`: author and message id; `id`: the bus-wide one, where the wire has it. */
  | { kind: 'said'; key: string | null; id: string | null; text: string; queued: boolean }
  /** Somebody changed what they had said; `text` null: they took it back. */
  | { kind: 'changed'; id: string; text: string | null }
  /** rooms-v1: the broker has a message of the client's own. */
  | { kind: 'confirmed'; messageId: string; id: string }
  | { kind: 'resumed'; recovered: boolean }
  | { kind: 'transcript'; messages: { role: 'user' | 'assistant'; text: string; status: End | null }[] }
  | { kind: 'stopping'; status: 'cancelling' | 'ended' }
  | { kind: 'refused'; code: string }
  /** The connection is ready for questions. */
  | { kind: 'ready' };

export type End = 'completed' | 'cancelled' | 'failed';

export interface ChatWire {
  readonly name: 'rooms-v1' | 'chat-v1' | 'session-v1' | 'fastchat-v1';
  path(visit: Visit): string;
  /** Whether a frame says that the connection is ready. */
  readonly greets: boolean;
  ask(text: string, messageId: string, visit: Visit): unknown;
  /** Stops an answer; null where the wire can't. */
  cancel(visit: Visit, messageId: string | null): unknown;
  read(frame: Frame): Seen | Seen[] | null;
}

/** Codes of frames that end an answer, where they could be a refusal as well. */
const ENDING = new Set(['PROCESSING_ERROR', 'MODEL_NOT_ALLOWED', 'UNKNOWN_PROVIDER']);

const roomsV1: ChatWire = {
  name: 'rooms-v1',
  greets: true,
  path: ({ token, room, query }) => `/api/v1/ws/ws?${queryOf({ token, room_id: room, ...query })}`,
  ask: (message, message_id, { room, conversation }) => ({
    type: 'chat',
    data: { message, conversation_id: conversation },
    room_id: room,
    message_id,
  }),
  cancel: ({ room, conversation }, message_id) => ({
    type: 'cancel',
    data: { message_id, conversation_id: conversation },
    room_id: room,
  }),
  read({ type, data }) {
    if (type === 'connect') return { kind: 'ready' };
    if (type === 'resumed') return { kind: 'resumed', recovered: data.recovered };
    if (type === 'cancel') return { kind: 'stopping', status: data.status };
    if (type === 'delivery_confirmation' && data.status === 'delivered')
      return { kind: 'confirmed', messageId: data.message_id, id: data.id };
    if (type === 'message_edited') return { kind: 'changed', id: data.id, text: data.content };
    if (type === 'message_deleted') return { kind: 'changed', id: data.id, text: null };
    if (type === 'transcript') return { kind: 'transcript', messages: data.messages.map(shownInRoom) };
    if (type === 'error')
      return data.id === undefined
        ? { kind: 'refused', code: data.code }
        : { kind: 'end', run: data.id, status: 'failed', text: null, code: data.code };
    if (type !== 'chat') return null;
    const { id, content, role, message_id, user_id, done, streaming, response, cancelled, queued } = data;
    if (role === 'user')
      return { kind: 'said', key: keyOf(user_id, message_id), id, text: content, queued: queued === true };
    if (streaming) return { kind: 'delta', run: id, text: content };
    const status = cancelled ? 'cancelled' : 'completed';
    return done ? { kind: 'end', run: id, status, text: response } : null;
  },
};

const chatV1: ChatWire = {
  name: 'chat-v1',
  greets: true,
  path: ({ token, room, conversation, query }) =>
    `/ws/chat?${queryOf({ token, room_id: room, session_id: conversation, watch: '1', ...query })}`,
  ask: (message, message_id) => ({ type: 'message', message, message_id }),
  cancel: (_visit, message_id) => ({ type: 'cancel', message_id }),
  read(frame) {
    const { type } = frame;
    if (type === 'auth_success') return { kind: 'ready' };
    if (type === 'resumed') return { kind: 'resumed', recovered: frame.recovered };
    if (type === 'cancel') return { kind: 'stopping', status: frame.status };
    if (type === 'transcript')
      return {
        kind: 'transcript',
        messages: frame.messages.map((one: Frame) => ({ role: one.role, text: one.content, status: null })),
      };
    if (type === 'token')
      return [
        { kind: 'delta', run: null, text: frame.token },
        { kind: 'so far', text: frame.partial_response },
      ];
    if (type === 'complete')
      return {
        kind: 'end',
        run: null,
        status: frame.cancelled ? 'cancelled' : 'completed',
        text: frame.response,
      };
    if (type === 'error')
      return ENDING.has(frame.code)
        ? { kind: 'end', run: null, status: 'failed', text: null, code: frame.code }
        : { kind: 'refused', code: frame.code };
    if (type !== 'user_message') return null;
    const { user_id, message_id, message } = frame;
    return { kind: 'said', key: keyOf(user_id, message_id), id: null, text: message, queued: false };
  },
};

const sessionV1: ChatWire = {
  name: 'session-v1',
  greets: false,
  path: ({ token, room, conversation = 'nobody', query }) =>
    `/ws/${encodeURIComponent(conversation)}?${queryOf({ token, room_id: room, ...query })}`,
  ask: (content, message_id) => ({ content, message_id }),
  cancel: (_visit, message_id) => ({ type: 'cancel', ...(message_id !== null && { message_id }) }),
  read(frame) {
    const { type, content } = frame;
    if (type === 'resumed') return { kind: 'resumed', recovered: frame.recovered };
    if (type === 'cancel') return { kind: 'stopping', status: frame.status };
    if (type === 'transcript') return { kind: 'transcript', messages: frame.messages.map(shownInSession) };
    if (type === 'message_edited') return { kind: 'changed', id: frame.id, text: content };
    if (type === 'message_deleted') return { kind: 'changed', id: frame.id, text: null };
    if (type === 'agent_partial') return { kind: 'so far', text: content };
    if (type === 'agent')
      return { kind: 'end', run: null, status: frame.cancelled ? 'cancelled' : 'completed', text: content };
    if (type === 'error')
      return ENDING.has(frame.code)
        ? { kind: 'end', run: null, status: 'failed', text: null, code: frame.code }
        : { kind: 'refused', code: frame.code };
    if (type !== 'user') return null;
    const key = frame.id === undefined ? null : keyOf(frame.user_id, frame.message_id);
    return { kind: 'said', key, id: frame.id ?? null, text: content, queued: false };
  },
};

const fastchatV1: ChatWire = {
  name: 'fastchat-v1',
  greets: true,
  path: ({ token, room, conversation, query }) =>
    `/chat/user?${queryOf({ access_token: token, room_id: room, chat_id: conversation, watch: '1', ...query })}`,
  ask: (text) => text,
  cancel: () => null,
  read(frame) {
    if (frame === '--eof') return { kind: 'eof' };
    const { type, status, response, meta } = frame;
    if (type === 'resumed') return { kind: 'resumed', recovered: frame.recovered };
    if (type === 'transcript')
      return {
        kind: 'transcript',
        messages: frame.messages.map((one: Frame) => ({ role: one.role, text: one.content, status: null })),
      };
    if (type === 'step' && frame.step === 'Error')
      return ENDING.has(frame.code)
        ? { kind: 'end', run: null, status: 'failed', text: null, code: frame.code }
        : { kind: 'refused', code: frame.code };
    if (status === 'success') return { kind: 'ready' };
    if (type === 'message_edited') return { kind: 'changed', id: frame.id, text: frame.content };
    if (type === 'message_deleted') return { kind: 'changed', id: frame.id, text: null };
    if (type === 'response')
      return meta.last_chunk
        ? { kind: 'end', run: null, status: meta.cancelled ? 'cancelled' : 'completed', text: null }
        : { kind: 'delta', run: null, text: response };
    if (type !== 'message') return null;
    const { user_id, message_id, id, content } = frame;
    return { kind: 'said', key: keyOf(user_id, message_id), id, text: content, queued: false };
  },
};

export const CHAT_WIRES: readonly ChatWire[] = [roomsV1, chatV1, sessionV1, fastchatV1];
export { chatV1, fastchatV1, roomsV1, sessionV1 };

function keyOf(author: string, messageId: string): string {
  return `${author}/${messageId}`;
}

function shownInRoom({ role, content, status }: Frame) {
  return { role, text: content, status: status ?? null };
}

function shownInSession({ type, content, cancelled, code }: Frame) {
  if (type === 'user') return { role: 'user' as const, text: content, status: null };
  const status: End = code !== undefined ? 'failed' : cancelled ? 'cancelled' : 'completed';
  return { role: 'assistant' as const, text: content, status };
}

function queryOf(parameters: Record<string, string | undefined>): string {
  const known = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  return new URLSearchParams(known as [string, string][]).toString();
}
