/** fastchat-v1: `/chat/user` and `/chat/admin`. Source: seeds/000; see README.md of this folder. */
import { ERRORS, type ErrorCode, isClientId, type TurnOptions } from '@natter/proto';
import type {
  Ask,
  Decoded,
  Dialect,
  ErrorDetail,
  Frames,
  Handshake,
  Notice,
  Opening,
  PlaceContext,
  PlaceEvent,
} from '../../session/dialect.ts';
import { openingOf } from '../opening.ts';
import { additionalServers, parseAdditionalServers } from './additional-servers.ts';
import { encodeEvent } from './answer-frames.ts';
import {
  ACCEPTED,
  END_MARKER,
  ERROR_STEP,
  ERROR_TEXTS,
  endsQuestion,
  mayComeFirst,
  SERVERS_PREFIX,
  stepFrame,
  timestamp,
} from './frames.ts';
import { parseLiteral } from './python-literal.ts';

/** Messages of the transcript the model is shown. Source: PROTOCOLS, `len_context`. */
const DEFAULT_CONTEXT = 20;
const MAX_CONTEXT = 100;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What the two routes differ in. */
interface Route {
  name: string;
  path: string;
  header: string;
  /** Natter's addition: browsers can't set headers. */
  query: string;
  use: 'client' | 'master';
  unauthorized: string;
}

export const fastchatUser = dialectOf({
  name: 'fastchat-v1-user',
  path: '/chat/user',
  header: 'access-token',
  query: 'access_token',
  use: 'client',
  unauthorized: 'Unauthorized ACCESS-TOKEN',
});

export const fastchatAdmin = dialectOf({
  name: 'fastchat-v1-admin',
  path: '/chat/admin',
  header: 'master-token',
  query: 'master_token',
  use: 'master',
  unauthorized: 'Unauthorized Master Token',
});

function dialectOf(route: Route): Dialect {
  const refused = JSON.stringify({ status: 'error', detail: `Disconnected: ${route.unauthorized}` });
  return {
    name: route.name,
    path: route.path,
    // The original refuses with 1008, which is all its clients know.
    closes: { invalidToken: { code: 1008, reason: route.unauthorized } },

    manner: {
      refusedToken: 'invalidToken',
      tokenAtOpen: true,
      anonymous: false,
      watches: false,
      echo: false,
      heartbeat: false,
      sessionRate: false,
      originRefusal: 'http',
      offlineQueue: false,
      uploads: false,
    },

    open: (handshake) => open(route, handshake),
    decode,
    encodeRefused: () => refused,
    encodeError,
    encodeNotice,
    encodeEvent,
    encodePlaceEvent,
  };
}

function open(route: Route, handshake: Handshake): Opening {
  const opening = openingOf(handshake);
  const token = handshake.header(route.header) || handshake.query(route.query) || '';
  const session = handshake.query('chat_id') || null;
  const model = handshake.query('model') || undefined;
  const provider = handshake.query('llm_provider') || undefined;
  const context = handshake.query('len_context') || String(DEFAULT_CONTEXT);
  const usable =
    (session === null || isClientId(session)) &&
    (model === undefined || model.length <= 128) &&
    (provider === undefined || provider.length <= 64) &&
    /^\d{1,3}$/.test(context) &&
    Number(context) <= MAX_CONTEXT;
  const options: TurnOptions = {
    ...(model !== undefined && { model }),
    ...(provider !== undefined && { provider }),
    contextMessages: Number(context),
    ...parseAdditionalServers(handshake.header('aditional_servers')),
  };
  return {
    ...opening,
    credential: token === '' ? null : { token, use: route.use },
    session: usable ? session : null,
    options: usable ? options : {},
    problem: usable ? opening.problem : 'INVALID_FIELD',
  };
}

/** Any text is a question; only the first frame may be something else, which the session knows. */
function decode(bytes: Uint8Array, isBinary: boolean): Decoded {
  if (isBinary) return { ok: false, code: 'INVALID_JSON' };
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { ok: false, code: 'INVALID_JSON' };
  }
  const ask: Ask = { type: 'ask', text, session: null, customerId: null, messageId: null };
  const options = serversOf(text.trim());
  return { ok: true, command: options === null ? ask : { type: 'configure', options, otherwise: ask } };
}

/** Null for a text that names no servers in either form; with bad JSON it names none of use. */
function serversOf(text: string): TurnOptions | null {
  if (text.startsWith(SERVERS_PREFIX))
    return parseAdditionalServers(text.slice(SERVERS_PREFIX.length).trim());
  // Saves questions from being read as JSON.
  if (!text.startsWith('{') || !text.includes('additional_servers')) return null;
  const frame = parseLiteral(text);
  if (typeof frame !== 'object' || frame === null) return null;
  const { type, data } = frame as Record<string, unknown>;
  return type === 'additional_servers' ? additionalServers(data) : null;
}

function encodeError(code: ErrorCode, { correlationId, retryAfter }: ErrorDetail): Frames {
  const message = ERROR_TEXTS[code] ?? ERRORS[code].text;
  const frame = JSON.stringify({
    // A client that waits for the confirmation looks at these two, a later one at `type`.
    ...(mayComeFirst(code) && { status: 'error', detail: message }),
    ...stepFrame(ERROR_STEP, message),
    code,
    correlation_id: correlationId,
    retry_after: retryAfter,
  });
  return endsQuestion(code) ? [frame, END_MARKER] : frame;
}

function encodeNotice(notice: Notice): Frames {
  switch (notice.type) {
    case 'connected':
      return JSON.stringify(ACCEPTED);
    case 'resumed':
      return JSON.stringify({ type: 'resumed', chat_id: notice.place.session, recovered: notice.recovered });
    case 'transcript':
      return JSON.stringify({
        type: 'transcript',
        chat_id: notice.place.session,
        messages: notice.messages.map(({ role, run, id, sub, text, at, editedAt, deletedAt }) => ({
          role,
          content: text,
          id: run,
          message_id: id,
          user_id: sub,
          timestamp: timestamp(at),
          edited: editedAt === undefined ? undefined : true,
          deleted: deletedAt === undefined ? undefined : true,
        })),
        cursor: notice.cursor ?? undefined,
      });
    case 'left':
      return JSON.stringify({ type: 'left', room_id: notice.room, reason: notice.why });
    default:
      return null;
  }
}

function encodePlaceEvent(event: PlaceEvent, context: PlaceContext): Frames {
  const place = {
    chat_id: context.session,
    room_id: context.room ?? undefined,
    cursor: context.cursor ?? undefined,
  };
  switch (event.type) {
    case 'message.posted':
      return JSON.stringify({
        type: 'message',
        role: 'user',
        content: event.text,
        id: event.run,
        message_id: event.id,
        user_id: event.sub,
        username: event.name,
        timestamp: timestamp(event.at),
        ...place,
      });
    case 'message.edited':
      return JSON.stringify({ type: 'message_edited', id: event.run, content: event.text, ...place });
    case 'message.deleted':
      return JSON.stringify({ type: 'message_deleted', id: event.run, ...place });
    default:
      return null;
  }
}
