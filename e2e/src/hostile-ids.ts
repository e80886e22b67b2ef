/** Ids that mean something to somebody, and every field of a wire or route that takes an id. */
import type { SocketTry } from './intruder.ts';
import { FIRST_QUESTION } from './victim.ts';

/** By what they are. */
export const HOSTILE_IDS = {
  'a wildcard': '>',
  'another wildcard': '*',
  dots: 'a.b',
  'a subject of the broker': '$JS.API.>',
  '10 kB': 'a'.repeat(10_000),
  nothing: '',
  'an emoji': '\u{1f697}',
  'a prototype': '__proto__',
  'a constructor': 'constructor',
  NUL: 'a\u0000b',
  'half a surrogate pair': '\ud83d',
  'the key of a room': '=x=y',
  'a reserved user': 'natter:master',
} as const;

export interface FieldAttempt {
  name: string;
  wire: SocketTry['wire'];
  path: string;
  /** A field of the path or of the query is the id itself, percent-encoded. */
  frames: unknown[];
  asks: boolean;
}

/** Percent-encoded; half a surrogate pair as the bytes it would have, which are no UTF-8. */
export function inUrl(id: string): string {
  return id.isWellFormed() ? encodeURIComponent(id) : '%ED%A0%BD';
}

const CURSOR_OF = (id: string) => `c1.${id}.1.1..0.0`;
const PLACES = ['room_id', 'room_name', 'room_type'] as const;

/** Stands in paths for an access token, a new one for each attempt. */
export const TOKEN = 'TOKEN';

/** Attempts on sockets with this id. */
export function socketFields(id: string): FieldAttempt[] {
  const fields: FieldAttempt[] = [];
  const add = (wire: FieldAttempt['wire'], name: string, path: string, frames: unknown[], asks = true) =>
    fields.push({ wire, name: `${wire} ${name}`, path, frames, asks });
  const message = { type: 'message', message: FIRST_QUESTION };
  const chat = `/ws/chat?token=${TOKEN}`;
  for (const field of ['session_id', 'customer_id', 'message_id'])
    add('chat-v1', field, chat, [{ ...message, [field]: id }]);
  for (const field of ['session_id', 'message_id'])
    add('chat-v1', `cancel ${field}`, chat, [{ type: 'cancel', [field]: id }], false);
  add('chat-v1', '?session_id', `${chat}&watch=1&session_id=${inUrl(id)}`, [message]);

  const session = `/ws/hostile?token=${TOKEN}`;
  add('session-v1', 'path', `/ws/${inUrl(id)}?token=${TOKEN}`, [{ content: FIRST_QUESTION }]);
  add('session-v1', 'path of nobody', `/ws/${inUrl(id)}`, [{ content: FIRST_QUESTION }]);
  add('session-v1', 'message_id', session, [{ content: FIRST_QUESTION, message_id: id }]);
  add('session-v1', 'cancel message_id', session, [{ type: 'cancel', message_id: id }], false);

  const fast = `/chat/user?access_token=${TOKEN}`;
  for (const field of ['chat_id', 'model', 'llm_provider', 'len_context'])
    add('fastchat-v1', `?${field}`, `${fast}&watch=1&${field}=${inUrl(id)}`, [FIRST_QUESTION]);
  if (id.isWellFormed()) {
    const servers = { type: 'additional_servers', data: { [id]: { 'httpstream-url': id, name: id } } };
    add('fastchat-v1', 'additional_servers', fast, [JSON.stringify(servers), FIRST_QUESTION]);
    add('fastchat-v1', 'a question', fast, [id]);
  }

  const rooms = `/api/v1/ws/ws?token=${TOKEN}`;
  for (const [wire, path, frame] of [
    ['chat-v1', chat, message],
    ['session-v1', session, { content: FIRST_QUESTION }],
    ['fastchat-v1', fast, FIRST_QUESTION],
    ['rooms-v1', rooms, { type: 'chat', data: { message: FIRST_QUESTION } }],
  ] as const) {
    for (const field of PLACES)
      add(wire, `?${field}`, `${path}&watch=1&room_id=${inUrl(id)}&${field}=${inUrl(id)}`, [frame], false);
    for (const cursor of [id, CURSOR_OF(id)])
      add(wire, '?resume', `${path}&resume=${inUrl(cursor)}`, [], false);
    add(wire, '?on_busy', `${path}&on_busy=${inUrl(id)}`, [], false);
  }
  return fields;
}

export interface RouteAttempt {
  name: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: unknown;
}

/** Attempts on HTTP routes with this id; `room` is a room of whoever has the token. */
export function routeFields(id: string, token: string, master: string, room: string): RouteAttempt[] {
  const routes: RouteAttempt[] = [];
  const headers = { authorization: `Bearer ${token}` };
  const add = (method: string, path: string, body?: unknown) =>
    routes.push({ name: `${method} ${path}`, method, path: `/api/v1${path}`, headers, body });
  const own = `/ws/rooms/${room}`;
  for (const field of ['session_id', 'customer_id', 'message_id'])
    add('POST', '/chat', { message: FIRST_QUESTION, [field]: id });
  for (const method of ['GET', 'PATCH', 'DELETE'])
    add(method, `/ws/rooms/${inUrl(id)}`, method === 'PATCH' ? { room_name: 'x' } : undefined);
  add('GET', `/ws/rooms/${inUrl(id)}/messages`);
  add('GET', `${own}/messages?before=${inUrl(id)}&limit=${inUrl(id)}`);
  add('POST', '/ws/rooms', { room_id: id, room_type: 'private' });
  add('POST', '/ws/rooms', { room_id: room, room_type: id, room_name: id });
  add('POST', `${own}/members`, { user_id: id, invite: true });
  add('POST', `${own}/bans`, { user_id: id });
  add('DELETE', `${own}/bans/${inUrl(id)}`);
  add('DELETE', `${own}/members/${inUrl(id)}`);
  add('GET', `/ws/connections/${inUrl(id)}`);
  add('GET', `/ws/user/${inUrl(id)}/connections`);
  for (const path of [`new?client_id=${inUrl(id)}`, `refresh?refresh_token=${inUrl(id)}`])
    routes.push({
      name: `GET /auth/token/${path}`,
      method: 'GET',
      path: `/auth/token/${path}`,
      headers: { 'master-token': master },
    });
  return routes;
}
