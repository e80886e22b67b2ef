/** What somebody may try on another user's things: a table of wires and routes by things. */
import type { WireName } from './intruder.ts';
import { FIRST_QUESTION } from './victim.ts';

/** Something of another user's; or the like of it that doesn't exist. */
export interface Prey {
  id: string;
  cursor: string;
  message: string;
  run: string;
  user: string;
  connection: string;
}

/** Who tries. */
export interface Attacker {
  sub: string;
  token: string;
}

export interface SocketAttempt {
  name: string;
  wire: WireName;
  path(prey: Prey, attacker: Attacker): string;
  frames(prey: Prey, attacker: Attacker): unknown[];
  asks?: boolean;
  /** About the cursor, not the id. */
  byCursor?: boolean;
}

export interface HttpAttempt {
  name: string;
  method: string;
  path(prey: Prey, attacker: Attacker): string;
  body?(prey: Prey, attacker: Attacker): unknown;
}

const id = encodeURIComponent;

function socket(
  name: string,
  wire: WireName,
  path: SocketAttempt['path'],
  frames: SocketAttempt['frames'] = () => [],
  more: Partial<SocketAttempt> = {},
): SocketAttempt {
  return { name: `${wire}: ${name}`, wire, path, frames, ...more };
}

const ASKS = { asks: true };
const BY_CURSOR = { byCursor: true };

const chatPath = (_prey: Prey, { token }: Attacker, query = '') => `/ws/chat?token=${token}${query}`;
const roomsPath = (_prey: Prey, { token }: Attacker, query = '') => `/api/v1/ws/ws?token=${token}${query}`;
const fastPath = (_prey: Prey, { token }: Attacker, query = '') => `/chat/user?access_token=${token}${query}`;
const message = { type: 'message', message: FIRST_QUESTION };

/** A frame of rooms-v1 about the prey. */
const inRooms = (name: string, frame: SocketAttempt['frames'], more: Partial<SocketAttempt> = {}) =>
  socket(name, 'rooms-v1', roomsPath, frame, more);

export const SOCKET_ATTEMPTS: readonly SocketAttempt[] = [
  socket('session_id', 'chat-v1', chatPath, (prey) => [{ ...message, session_id: prey.id }], ASKS),
  socket(
    'session_id watched',
    'chat-v1',
    (prey, attacker) => chatPath(prey, attacker, `&session_id=${id(prey.id)}&watch=1&seq=1`),
    () => [message],
    ASKS,
  ),
  socket(
    'room_id',
    'chat-v1',
    (prey, attacker) => chatPath(prey, attacker, `&room_id=${id(prey.id)}&watch=1`),
    () => [message],
    ASKS,
  ),
  socket(
    'resume',
    'chat-v1',
    (prey, attacker) => chatPath(prey, attacker, `&resume=${id(prey.cursor)}`),
    () => [],
    BY_CURSOR,
  ),
  socket('cancel', 'chat-v1', chatPath, (prey) => [
    { type: 'cancel', session_id: prey.id },
    { type: 'cancel', session_id: prey.id, message_id: prey.message },
    { type: 'cancel', session_id: prey.id, message_id: prey.run },
    { type: 'cancel', message_id: prey.run },
  ]),
  socket(
    'path',
    'session-v1',
    (prey, { token }) => `/ws/${id(prey.id)}?token=${token}`,
    () => [{ content: FIRST_QUESTION }],
    ASKS,
  ),
  socket(
    'path, by nobody',
    'session-v1',
    (prey) => `/ws/${id(prey.id)}`,
    () => [{ content: FIRST_QUESTION }],
    ASKS,
  ),
  socket(
    'room_id',
    'session-v1',
    (prey, { token }) => `/ws/mine?room_id=${id(prey.id)}&token=${token}`,
    () => [{ content: FIRST_QUESTION }],
    ASKS,
  ),
  socket(
    'resume',
    'session-v1',
    (prey, { token }) => `/ws/${id(prey.id)}?resume=${id(prey.cursor)}&token=${token}`,
    () => [],
    BY_CURSOR,
  ),
  socket(
    'cancel',
    'session-v1',
    (prey, { token }) => `/ws/${id(prey.id)}?token=${token}`,
    (prey) => [
      { type: 'cancel' },
      { type: 'cancel', message_id: prey.message },
      { type: 'cancel', message_id: prey.run },
    ],
  ),
  socket(
    'chat_id',
    'fastchat-v1',
    (prey, attacker) => fastPath(prey, attacker, `&chat_id=${id(prey.id)}&watch=1&seq=1`),
    () => [FIRST_QUESTION],
    ASKS,
  ),
  socket(
    'room_id',
    'fastchat-v1',
    (prey, attacker) => fastPath(prey, attacker, `&room_id=${id(prey.id)}`),
    () => [FIRST_QUESTION],
    ASKS,
  ),
  socket(
    'resume',
    'fastchat-v1',
    (prey, attacker) => fastPath(prey, attacker, `&resume=${id(prey.cursor)}`),
    () => [],
    BY_CURSOR,
  ),
  socket('room_id', 'rooms-v1', (prey, attacker) =>
    roomsPath(prey, attacker, `&room_id=${id(prey.id)}&seq=1`),
  ),
  socket(
    'resume',
    'rooms-v1',
    (prey, attacker) => roomsPath(prey, attacker, `&resume=${id(prey.cursor)}`),
    () => [],
    BY_CURSOR,
  ),
  inRooms('resume frame', (prey) => [{ type: 'resume', data: { cursor: prey.cursor } }], BY_CURSOR),
  inRooms(
    'chat in the conversation',
    (prey) => [{ type: 'chat', data: { message: FIRST_QUESTION, conversation_id: prey.id } }],
    ASKS,
  ),
  inRooms(
    'chat in the room',
    (prey) => [{ type: 'chat', data: { message: FIRST_QUESTION }, room_id: prey.id }],
    ASKS,
  ),
  inRooms('join_room', (prey) => [{ type: 'join_room', data: { room_id: prey.id } }]),
  inRooms('join_room as private', (prey) => [
    { type: 'join_room', data: { room_id: prey.id, room_type: 'private' } },
  ]),
  inRooms('leave_room', (prey) => [{ type: 'leave_room', data: { room_id: prey.id } }]),
  inRooms('typing', (prey) => [
    { type: 'typing', data: { is_typing: true, room_id: prey.id } },
    { type: 'typing', data: { is_typing: true, conversation_id: prey.id } },
  ]),
  ...(['read_receipt', 'edit_message', 'delete_message', 'cancel'] as const).map((type) =>
    inRooms(type, ({ id: place, run, message: message_id, user }) =>
      [{ message_id: run }, { message_id, user_id: user }, ...(type === 'cancel' ? [{}] : [])].flatMap(
        (data) => [
          { type, data: { ...data, message: 'Changed' }, room_id: place },
          { type, data: { ...data, message: 'Changed', conversation_id: place } },
          { type, data: { ...data, message: 'Changed' } },
        ],
      ),
    ),
  ),
  inRooms('moderation', ({ id: room_id, user }, { sub }) => [
    ...['invite', 'add_member', 'unban'].map((type) => ({ type, data: { room_id, user_id: sub } })),
    ...['kick', 'ban'].map((type) => ({ type, data: { room_id, user_id: user } })),
    { type: 'set_ai', data: { room_id, ai: 'never' } },
  ]),
];

/** Joining as these makes a room where there is none, so a missing one can't look the same. */
export const TYPED_ATTEMPTS: readonly SocketAttempt[] = (['shared', 'group'] as const).flatMap((type) => [
  ...(
    [
      ['chat-v1', chatPath],
      ['fastchat-v1', fastPath],
      ['rooms-v1', roomsPath],
    ] as const
  ).map(([wire, path]) =>
    socket(`room_id as ${type}`, wire, (prey, attacker) =>
      path(prey, attacker, `&watch=1&room_id=${id(prey.id)}&room_type=${type}`),
    ),
  ),
  socket(
    `room_id as ${type}`,
    'session-v1',
    (prey, { token }) => `/ws/mine?room_id=${id(prey.id)}&room_type=${type}&token=${token}`,
  ),
  inRooms(`join_room as ${type}`, (prey) => [
    { type: 'join_room', data: { room_id: prey.id, room_type: type } },
  ]),
]);

const room = (prey: Prey) => `/api/v1/ws/rooms/${id(prey.id)}`;

/** Routes about rooms, and about conversations by their names. */
export const HTTP_ATTEMPTS: readonly HttpAttempt[] = [
  { name: 'GET room', method: 'GET', path: room },
  { name: 'GET messages', method: 'GET', path: (prey) => `${room(prey)}/messages?limit=100` },
  { name: 'PATCH room', method: 'PATCH', path: room, body: () => ({ room_name: 'Mine now' }) },
  { name: 'PATCH ai', method: 'PATCH', path: room, body: () => ({ ai: 'never' }) },
  {
    name: 'POST members',
    method: 'POST',
    path: (prey) => `${room(prey)}/members`,
    body: (_prey, { sub }) => ({ user_id: sub }),
  },
  {
    name: 'POST members, invited',
    method: 'POST',
    path: (prey) => `${room(prey)}/members`,
    body: (_prey, { sub }) => ({ user_id: sub, invite: true }),
  },
  { name: 'DELETE member', method: 'DELETE', path: (prey) => `${room(prey)}/members/${id(prey.user)}` },
  {
    name: 'DELETE oneself',
    method: 'DELETE',
    path: (prey, { sub }) => `${room(prey)}/members/${id(sub)}`,
  },
  {
    name: 'POST bans',
    method: 'POST',
    path: (prey) => `${room(prey)}/bans`,
    body: ({ user }) => ({ user_id: user }),
  },
  { name: 'DELETE ban', method: 'DELETE', path: (prey, { sub }) => `${room(prey)}/bans/${id(sub)}` },
  { name: 'DELETE room', method: 'DELETE', path: room },
];

/** Routes about who is connected. */
export const CONNECTION_ATTEMPTS: readonly HttpAttempt[] = [
  { name: 'GET connection', method: 'GET', path: (prey) => `/api/v1/ws/connections/${id(prey.connection)}` },
  { name: 'GET connections', method: 'GET', path: (prey) => `/api/v1/ws/user/${id(prey.user)}/connections` },
];
