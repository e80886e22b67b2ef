/** Every place where a token is shown, and whether one was let in by it. */
import type { Intruder, SocketTry } from './intruder.ts';

/** The kinds of tokens; what each is good for is `opens` of the doors. */
export type TokenKind =
  | 'access'
  | 'websocket'
  | 'client'
  | 'refresh'
  | 'master'
  | 'expired access'
  | 'expired client'
  | 'access that says natter:master'
  | 'client that says natter:master'
  | 'session of nobody'
  | 'another key’s';

export interface Door {
  name: string;
  /** The kinds of tokens it opens for; all others stay outside. */
  opens: readonly TokenKind[];
  try(token: string, intruder: Intruder, at: { url: string; httpUrl: string }): Promise<boolean>;
}

interface SocketDoor {
  path: string;
  headers?: (token: string) => Record<string, string>;
  /** Frames to send once it is open. */
  frames?: (token: string) => unknown[];
  /** Name of the query parameter. */
  query?: string;
}

/** In is who can say something: the blank last word is then refused for being blank. */
function socket(
  name: string,
  wire: SocketTry['wire'],
  opens: Door['opens'],
  { path, headers, frames, query }: SocketDoor,
): Door {
  return {
    name: `${wire} ${name}`,
    opens,
    async try(token, intruder, { url }) {
      const suffix = query === undefined ? '' : `?${query}=${encodeURIComponent(token)}`;
      const outcome = await intruder.socket({
        wire,
        url: url + path + suffix,
        headers: headers?.(token) ?? {},
        frames: frames?.(token) ?? [],
      });
      return outcome.frames.some(({ type, code }) => type === 'pong' || code === 'EMPTY_MESSAGE');
    },
  };
}

/** In is who gets any answer but 401. */
function http(
  name: string,
  opens: Door['opens'],
  method: string,
  path: (token: string) => string,
  more: { header?: string; body?: unknown } = {},
): Door {
  const { header = 'authorization', body } = more;
  return {
    name: `${method} ${name}`,
    opens,
    async try(token, intruder, { httpUrl }) {
      const headers =
        header === '' ? {} : { [header]: header === 'authorization' ? `Bearer ${token}` : token };
      const answer = await intruder.http({ method, url: httpUrl + path(token), headers, body });
      return !answer.startsWith('401');
    },
  };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const ACCESS: Door['opens'] = ['access'];
const ROOMS: Door['opens'] = ['access', 'websocket'];
const FASTCHAT: Door['opens'] = ['access', 'client'];
const MASTER: Door['opens'] = ['master'];
const roomsRoute = (method: string, path: string, body?: unknown) =>
  http(`/api/v1/ws${path}`, ROOMS, method, () => `/api/v1/ws${path}`, { body });

export const DOORS: readonly Door[] = [
  socket('?token', 'chat-v1', ACCESS, { path: '/ws/chat', query: 'token' }),
  socket('auth', 'chat-v1', ACCESS, { path: '/ws/chat', frames: (token) => [{ type: 'auth', token }] }),
  socket('?token', 'session-v1', ACCESS, { path: '/ws/door', query: 'token' }),
  socket('Authorization', 'session-v1', ACCESS, { path: '/ws/door', headers: bearer }),
  socket('?token', 'rooms-v1', ROOMS, { path: '/api/v1/ws/ws', query: 'token' }),
  socket('Authorization', 'rooms-v1', ROOMS, { path: '/api/v1/ws/ws', headers: bearer }),
  socket('cookie', 'rooms-v1', ROOMS, {
    path: '/api/v1/ws/ws',
    headers: (token) => ({ cookie: `access_token=${token}` }),
  }),
  socket('ACCESS-TOKEN', 'fastchat-v1', FASTCHAT, {
    path: '/chat/user',
    headers: (token) => ({ 'access-token': token }),
  }),
  socket('?access_token', 'fastchat-v1', FASTCHAT, { path: '/chat/user', query: 'access_token' }),
  socket('MASTER-TOKEN', 'fastchat-v1', MASTER, {
    path: '/chat/admin',
    headers: (token) => ({ 'master-token': token }),
  }),
  socket('?master_token', 'fastchat-v1', MASTER, { path: '/chat/admin', query: 'master_token' }),
  http('/api/v1/chat', ACCESS, 'POST', () => '/api/v1/chat', { body: { message: ' ' } }),
  http('/api/v1/ws/token', ACCESS, 'POST', () => '/api/v1/ws/token'),
  roomsRoute('GET', '/stats'),
  roomsRoute('POST', '/rooms', { room_id: '' }),
  roomsRoute('GET', '/rooms/door'),
  roomsRoute('PATCH', '/rooms/door', { room_name: 'x' }),
  roomsRoute('DELETE', '/rooms/door'),
  roomsRoute('GET', '/rooms/door/messages'),
  roomsRoute('POST', '/rooms/door/members', { user_id: 'x' }),
  roomsRoute('DELETE', '/rooms/door/members/x'),
  roomsRoute('POST', '/rooms/door/bans', { user_id: 'x' }),
  roomsRoute('DELETE', '/rooms/door/bans/x'),
  roomsRoute('GET', '/connections/x'),
  roomsRoute('GET', '/user/x/connections'),
  http('/auth/token/new', MASTER, 'GET', () => '/auth/token/new', { header: 'master-token' }),
  http(
    '/auth/token/refresh',
    ['refresh'],
    'GET',
    (token) => `/auth/token/refresh?refresh_token=${encodeURIComponent(token)}`,
    { header: '' },
  ),
];
