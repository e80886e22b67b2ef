import {
  conversationKey,
  ERRORS,
  type RoomsReply,
  type RoomsRequest,
  type TranscriptMessage,
} from '@natter/proto';
import { describe, expect, it } from 'vitest';
import { roomsRoutes } from '../../src/rest/rooms-routes.ts';
import { type Ask, ask, signIn } from './asked.ts';

const KEY = '=lobby=one';
const ROOM = {
  key: KEY,
  id: 'lobby',
  name: 'The Lobby',
  type: 'shared',
  ai: 'mention',
  owner: 'alice',
  createdAt: 0,
} as const;
const member = (sub: string, state: 'member' | 'invited', role: 'owner' | 'member' = 'member') => ({
  ...{ sub, state, role, name: null, by: 'alice', at: 1 },
});
const MESSAGES: TranscriptMessage[] = [
  {
    seq: 4,
    role: 'user',
    run: 'r',
    id: 'm',
    sub: 'bob',
    name: 'Bob',
    text: 'hi',
    asks: true,
    at: 0,
    editedAt: 1_000,
  },
  {
    ...{ seq: 6, role: 'assistant', run: 'r', id: 'm', sub: 'bob', name: 'Bob', text: 'par', at: 2_000 },
    end: { type: 'run.cancelled', text: 'par', by: 'bob' },
  },
];

/** Routes over an auth service that answers with `reply`, and conversations in `transcripts`. */
function routesOver(
  reply: RoomsReply | ((request: RoomsRequest) => RoomsReply),
  transcripts: Record<string, TranscriptMessage[]> = { [KEY]: MESSAGES },
) {
  const questions: RoomsRequest[] = [];
  const pages: { key: string; limit: number; before: number | null }[] = [];
  const routes = roomsRoutes({
    ...signIn(),
    rooms: {
      ask: async (request) => {
        questions.push(request);
        return typeof reply === 'function' ? reply(request) : reply;
      },
    },
    presence: { whoAnywhere: async () => ({ users: [{ sub: 'bob', name: 'Bob' }], typing: ['bob'] }) },
    transcripts: {
      page: async (key, options) => {
        pages.push({ key, ...options });
        return { messages: transcripts[key] ?? [], next: 4 };
      },
      lastActivity: async (key) => (transcripts[key] === undefined ? null : 60_000),
    },
  });
  return { routes, questions, pages };
}

const members = [member('alice', 'member', 'owner'), member('bob', 'member'), member('carol', 'invited')];
const seen: RoomsReply = { ok: true, rooms: [{ room: ROOM, role: 'owner' }], members };
const refused = (code: Extract<RoomsReply, { ok: false }>['code']): RoomsReply => ({ ok: false, code });
const who = { sub: 'alice', name: 'Name of alice', admin: false };
const asAlice: Ask = { token: 'alice' };

const BODY = {
  room_id: 'lobby',
  name: 'The Lobby',
  room_type: 'shared',
  ai: 'mention',
  owner: 'alice',
  role: 'owner',
  participants: ['alice', 'bob'],
  participants_count: 2,
  members: [
    { user_id: 'alice', name: null, role: 'owner' },
    { user_id: 'bob', name: null, role: 'member' },
  ],
  online: ['bob'],
  typing_users: ['bob'],
  created_at: '1970-01-01T00:00:00.000Z',
  last_activity: '1970-01-01T00:01:00.000Z',
};

describe('POST /api/v1/ws/rooms', () => {
  const create = (routes: ReturnType<typeof routesOver>['routes'], body: unknown) =>
    ask(routes, 'POST', '/api/v1/ws/rooms', { ...asAlice, body });

  it('makes the room of seeds/004, private unless said', async () => {
    const { routes, questions } = routesOver(seen);
    const body = { room_id: 'my-room', room_name: 'My Chat Room' };
    expect(await create(routes, body)).toMatchObject({ status: 201, body: BODY });
    const asked = { op: 'create', who, id: 'my-room', type: 'private', name: 'My Chat Room', ai: null };
    expect(questions).toEqual([asked]);
  });

  it.each([
    [{ room_id: 'x', room_type: 'public' }],
    [{ room_id: '' }],
    [{ room_id: 'x'.repeat(129) }],
    [{ room_id: 7 }],
    [{}],
    [{ room_id: 'x', ai: 'sometimes' }],
  ])('refuses %j with 400', async (body) => {
    const { routes, questions } = routesOver(seen);
    expect(await create(routes, body)).toMatchObject({ status: 400, body: { code: 'INVALID_FIELD' } });
    expect(questions).toEqual([]);
  });

  it('refuses what is no JSON object with 400', async () => {
    const { routes } = routesOver(seen);
    for (const text of ['', '[]', 'null', '{', '\xff']) {
      const bytes = Buffer.from(text, 'latin1');
      const reply = await ask(routes, 'POST', '/api/v1/ws/rooms', { ...asAlice, bytes });
      expect(reply).toMatchObject({ status: 400, body: { code: 'INVALID_JSON' } });
    }
  });

  it.each([
    ['ROOM_EXISTS', 409],
    ['TOO_MANY_ROOMS', 409],
    ['INVALID_FIELD', 400],
    ['UNAVAILABLE', 503],
  ] as const)('answers %s of the auth service with %i', async (code, status) => {
    const { routes } = routesOver(refused(code));
    expect(await create(routes, { room_id: 'x' })).toMatchObject({ status, body: { code } });
  });
});

describe('GET /api/v1/ws/rooms/{room_id}', () => {
  it('shows the room, its members, who is online and who is typing', async () => {
    const { routes, questions } = routesOver(seen);
    const reply = await ask(routes, 'GET', '/api/v1/ws/rooms/a%2Fb%20%F0%9F%98%80', asAlice);
    expect(reply).toMatchObject({ status: 200, body: BODY });
    expect(questions).toEqual([{ op: 'get', who, id: 'a/b 😀' }]);
  });

  it('tells those who may not see it and those who ask for nothing the same', async () => {
    const { routes } = routesOver(refused('ROOM_DENIED'));
    const [one, two] = [
      await ask(routes, 'GET', '/api/v1/ws/rooms/secret', { token: 'mallory' }),
      await ask(routes, 'GET', '/api/v1/ws/rooms/nothing', { token: 'mallory' }),
    ];
    const { correlation_id: _one, ...first } = one.body;
    const { correlation_id: _two, ...second } = two.body;
    expect(first).toEqual({ error: ERRORS.ROOM_DENIED.text, code: 'ROOM_DENIED' });
    expect([two.status, two.headers, second]).toEqual([403, one.headers, first]);
  });

  it('says who is an admin', async () => {
    const { routes, questions } = routesOver(seen);
    await ask(routes, 'GET', '/api/v1/ws/rooms/x', { token: 'admin:root' });
    expect(questions[0]).toMatchObject({ who: { sub: 'root', admin: true } });
  });

  it.each([
    [{}, 401, 'AUTH_REQUIRED'],
    [{ headers: { authorization: 'Basic abc' } }, 401, 'AUTH_REQUIRED'],
    [{ token: 'bad' }, 401, 'INVALID_TOKEN'],
    [{ token: 'old' }, 401, 'TOKEN_EXPIRED'],
    [{ token: 'down' }, 503, 'UNAVAILABLE'],
    [{ token: 'x'.repeat(4_097) }, 401, 'INVALID_TOKEN'],
    [{ token: 'hasty' }, 429, 'RATE_LIMIT'],
  ])('answers %j with %i %s and asks nobody', async (asked, status, code) => {
    const { routes, questions } = routesOver(seen);
    const reply = await ask(routes, 'GET', '/api/v1/ws/rooms/x', asked);
    expect(reply).toMatchObject({ status, body: { code } });
    expect(questions).toEqual([]);
    if (code === 'RATE_LIMIT') expect(reply.headers['retry-after']).toBe('7');
  });

  it('answers an id of more than 128 bytes with 400', async () => {
    const { routes, questions } = routesOver(seen);
    const reply = await ask(routes, 'GET', `/api/v1/ws/rooms/${'%F0%9F%98%80'.repeat(33)}`, asAlice);
    expect(reply).toMatchObject({ status: 400, body: { code: 'INVALID_FIELD' } });
    expect(questions).toEqual([]);
  });
});

describe('PATCH and DELETE /api/v1/ws/rooms/{room_id}', () => {
  it('change what is given, and nothing else', async () => {
    const { routes, questions } = routesOver(seen);
    const body = { ai: 'never' };
    expect(await ask(routes, 'PATCH', '/api/v1/ws/rooms/lobby', { ...asAlice, body })).toMatchObject({
      status: 200,
      body: BODY,
    });
    expect(questions[0]).toEqual({ op: 'update', who, id: 'lobby', ai: 'never' });
  });

  it('refuse an empty name', async () => {
    const { routes, questions } = routesOver(seen);
    const reply = await ask(routes, 'PATCH', '/api/v1/ws/rooms/lobby', {
      ...asAlice,
      body: { room_name: '' },
    });
    expect(reply.status).toBe(400);
    expect(questions).toEqual([]);
  });

  it('delete the room, or say that only its owner may', async () => {
    const { routes } = routesOver(seen);
    const done = await ask(routes, 'DELETE', '/api/v1/ws/rooms/lobby', asAlice);
    expect(done).toMatchObject({ status: 200, body: { room_id: 'lobby', status: 'deleted' } });
    const { routes: others } = routesOver(refused('NOT_MODERATOR'));
    const reply = await ask(others, 'DELETE', '/api/v1/ws/rooms/lobby', { token: 'bob' });
    expect(reply).toMatchObject({ status: 403, body: { code: 'NOT_MODERATOR' } });
  });
});

describe('members and bans', () => {
  const path = '/api/v1/ws/rooms/lobby';
  it.each([
    ['POST', '/members', { user_id: 'bob' }, { op: 'add', user: 'bob', userName: null }, 'added'],
    [
      'POST',
      '/members',
      { user_id: 'bob', invite: true, username: 'B' },
      { op: 'invite', userName: 'B' },
      'invited',
    ],
    ['DELETE', '/members/bo%62', undefined, { op: 'kick', user: 'bob' }, 'removed'],
    ['DELETE', '/members/alice', undefined, { op: 'leave' }, 'left'],
    ['POST', '/bans', { user_id: 'bob' }, { op: 'ban', user: 'bob' }, 'banned'],
    ['DELETE', '/bans/bob', undefined, { op: 'unban', user: 'bob' }, 'unbanned'],
  ] as const)('%s %s', async (method, rest, body, question, status) => {
    const { routes, questions } = routesOver(seen);
    const reply = await ask(routes, method, path + rest, { ...asAlice, body });
    expect(reply).toMatchObject({ status: 200, body: { room_id: 'lobby', status } });
    expect(questions[0]).toMatchObject({ ...question, who, id: 'lobby' });
  });

  it('are refused for a user id that is none', async () => {
    const { routes, questions } = routesOver(seen);
    for (const user_id of ['', 'x'.repeat(129), null]) {
      for (const rest of ['/members', '/bans']) {
        const reply = await ask(routes, 'POST', path + rest, { ...asAlice, body: { user_id } });
        expect(reply.status).toBe(400);
      }
    }
    expect(questions).toEqual([]);
  });
});

describe('GET /api/v1/ws/rooms/{room_id}/messages', () => {
  const path = '/api/v1/ws/rooms/lobby/messages';

  it('shows a page of the transcript', async () => {
    const { routes, pages } = routesOver(seen);
    const reply = await ask(routes, 'GET', `${path}?limit=2&before=9`, asAlice);
    expect(pages).toEqual([{ key: KEY, limit: 2, before: 9 }]);
    expect(reply.body).toEqual({
      room_id: 'lobby',
      messages: [
        {
          ...{ position: 4, role: 'user', id: 'r', message_id: 'm', user_id: 'bob', username: 'Bob' },
          ...{ content: 'hi', timestamp: '1970-01-01T00:00:00.000Z', asks_ai: true },
          edited_at: '1970-01-01T00:00:01.000Z',
        },
        {
          ...{ position: 6, role: 'assistant', id: 'r', message_id: 'r' },
          ...{ user_id: 'assistant', username: 'AI Assistant', reply_to: 'm', reply_to_user: 'bob' },
          ...{ content: 'par', timestamp: '1970-01-01T00:00:02.000Z' },
          ...{ status: 'cancelled', cancelled_by: 'bob' },
        },
      ],
      next_before: 4,
    });
  });

  it('shows a conversation of their own that is no room', async () => {
    const own = conversationKey('alice', 'lobby');
    const { routes, pages } = routesOver(refused('ROOM_DENIED'), { [own]: MESSAGES });
    expect((await ask(routes, 'GET', path, asAlice)).status).toBe(200);
    expect(pages).toEqual([{ key: own, limit: 50, before: null }]);
  });

  it('never reads what is nobody’s of the user', async () => {
    const { routes, pages } = routesOver(refused('ROOM_DENIED'), {
      [conversationKey('alice', 'lobby')]: MESSAGES,
    });
    const reply = await ask(routes, 'GET', path, { token: 'mallory' });
    expect(reply).toMatchObject({ status: 403, body: { code: 'ROOM_DENIED' } });
    expect(pages).toEqual([]);
  });

  it.each(['limit=0', 'limit=101', 'limit=x', 'limit=', 'before=0', 'before=-1', 'before=1e3'])(
    'refuses %s',
    async (query) => {
      const { routes, pages } = routesOver(seen);
      expect(await ask(routes, 'GET', `${path}?${query}`, asAlice)).toMatchObject({
        status: 400,
        body: { code: 'INVALID_FIELD' },
      });
      expect(pages).toEqual([]);
    },
  );
});
