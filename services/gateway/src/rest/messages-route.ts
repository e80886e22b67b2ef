/** GET /api/v1/ws/rooms/{room_id}/messages: the transcript, a page at a time. */
import { conversationKey, type TranscriptMessage } from '@natter/proto';
import { asker, askRooms, ROOM_PATH, type RoomsRouteDeps, roomRoute } from './room-route.ts';
import { errorReply, type HttpReply, json, type Route } from './route.ts';
import type { SignedInRequest } from './signed-in.ts';

const DEFAULT_LIMIT = 50;
/** A page of the longest answers is then 20 million characters. */
const MAX_LIMIT = 100;

export function messagesRoute(deps: RoomsRouteDeps): Route {
  return roomRoute(deps, 'GET', `${ROOM_PATH}/messages`, (request) => messages(deps, request));
}

async function messages(deps: RoomsRouteDeps, request: SignedInRequest): Promise<HttpReply> {
  const limit = positive(request.query('limit'), DEFAULT_LIMIT);
  const before = positive(request.query('before'), null);
  if (limit === undefined || limit === null || limit > MAX_LIMIT || before === undefined)
    return errorReply('INVALID_FIELD');
  const id = request.param('room_id');
  const found = await askRooms(deps, request, { op: 'get', who: asker(request), id });
  if (!found.ok && found.code !== 'ROOM_DENIED') return found.reply;
  // A conversation of their own that no room was made for; nobody else's key has their sub in it.
  const key = found.ok ? found.rooms[0]?.room.key : conversationKey(request.principal.sub, id);
  if (key === undefined) return errorReply('INTERNAL', { correlationId: request.trace.traceId });
  if (!found.ok && (await deps.transcripts.lastActivity(key)) === null) return found.reply;
  const page = await deps.transcripts.page(key, { limit, before });
  return json(200, { room_id: id, messages: page.messages.map(messageBody), next_before: page.next });
}

/** `fallback` when absent, undefined when it is no positive integer. */
function positive<T>(text: string | undefined, fallback: T): number | T | undefined {
  if (text === undefined) return fallback;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  return value > 0 ? value : undefined;
}

/** With the names that the frame `transcript` of rooms-v1 has. */
function messageBody(message: TranscriptMessage) {
  const { seq, role, run, id, sub, name, text, at, asks, editedAt, deletedAt, end } = message;
  const common = { position: seq, role, id: run, content: text, timestamp: time(at) };
  if (end !== undefined) return { ...common, ...answerBody(run, { id, sub }), ...endBody(end) };
  return {
    ...common,
    message_id: id,
    user_id: sub,
    username: name,
    asks_ai: asks,
    edited_at: editedAt === undefined ? undefined : time(editedAt),
    deleted_at: deletedAt === undefined ? undefined : time(deletedAt),
  };
}

/** An answer has the bus-wide id of its question, which may be older than what is kept. */
function answerBody(run: string, { id, sub }: Pick<TranscriptMessage, 'id' | 'sub'>) {
  return {
    message_id: run,
    user_id: 'assistant',
    username: 'AI Assistant',
    reply_to: id || null,
    reply_to_user: sub || null,
  };
}

function endBody(end: NonNullable<TranscriptMessage['end']>) {
  if (end.type === 'run.cancelled') return { status: 'cancelled', cancelled_by: end.by };
  if (end.type === 'run.failed')
    return { status: 'failed', code: end.code, correlation_id: end.correlationId };
  const { agent, confidence, sources, model } = end.metadata;
  return { status: 'completed', agent, confidence, sources, model };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
