/** Who gets in on rooms-v1, by which token, and its HTTP routes as curl asks them; on two gateways. */
import { connect, type Frame, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { signedByAStranger, signedByNobody } from '../src/foreign-token.ts';
import { reportFailures } from '../src/report-failures.ts';
import { ask, join, openRooms, POWER, ROOMS_PATH, refusal } from '../src/rooms-chat.ts';
import { type Curl, roomPath, roomsCurl } from '../src/rooms-curl.ts';

const MASTER_TOKEN = 'the master token of this test, long enough';
const DAY_S = 86_400;
const CORRELATION_ID = /^[0-9a-f]{32}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    demo: { tokensPerSecond: 300, firstTokenMs: 0 },
    env: { MASTER_TOKEN, NATTER_AUTH_TIMEOUT_MS: '700' },
  });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const open: Probe[] = [];
afterEach(() => Promise.all(open.splice(0).map((probe) => probe.close())));

async function dial(query: string, headers: Record<string, string> = {}): Promise<Probe> {
  const probe = await connect(`${stack.url()}${ROOMS_PATH}${query}`, { headers, timeoutMs: 30_000 });
  open.push(probe);
  return probe;
}

/** The error and the close frame of a connection that is not let in. */
async function turnedAway(query: string): Promise<{ error: Frame; code: number; reason: string }> {
  const probe = await dial(query);
  const closed = await probe.closing();
  expect(probe.frames).toHaveLength(1);
  return { error: probe.frames[0].data, ...closed };
}

async function as(sub: string, roles: string[] = [], gateway = 0): Promise<Curl> {
  return roomsCurl(stack.httpUrl(gateway), await stack.token({ sub, name: sub.toUpperCase(), roles }));
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

describe('a WebSocket token', () => {
  it('[rooms/token-post] [rooms/token-answer] [rooms/token-claims] is given for an access token, for a day', async () => {
    const curl = await as('alice');
    const { status, body } = await curl('POST', '/token');
    expect([status, Object.keys(body).sort(), body.expires_in]).toEqual([
      200,
      ['expires_in', 'token'],
      DAY_S,
    ]);
    const claims = claimsOf(body.token);
    expect(claims).toMatchObject({ sub: 'alice', type: 'websocket' });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(DAY_S);
    const probe = await dial(`?token=${body.token}`);
    expect((await probe.nextOfType('connect')).data).toMatchObject({ user_id: 'alice', username: 'ALICE' });
  });

  it('[rooms/token-route] is given to nobody without a good access token', async () => {
    const token = await stack.token({ sub: 'alice' });
    const expired = await stack.token({ sub: 'alice', ttlS: -3_600 });
    const { token: websocket } = (await roomsCurl(stack.httpUrl(), token)('POST', '/token')).body;
    const codes: Record<string, string | null> = {
      AUTH_REQUIRED: null,
      INVALID_TOKEN: signedByAStranger(token),
      TOKEN_EXPIRED: expired,
    };
    for (const [code, shown] of Object.entries(codes))
      expect(await roomsCurl(stack.httpUrl(), shown)('POST', '/token')).toMatchObject({
        status: 401,
        body: { code },
      });
    // It would live for ever by itself.
    expect(await roomsCurl(stack.httpUrl(), websocket)('POST', '/token')).toMatchObject({ status: 401 });
  });
});

describe('getting in', () => {
  it('[rooms/query-token] [rooms/token-header] [rooms/token-cookie] works by query, by header and by cookie', async () => {
    const token = await stack.token({ sub: 'alice' });
    const ways: [string, Record<string, string>][] = [
      [`?token=${token}`, {}],
      ['', { authorization: `Bearer ${token}` }],
      ['', { cookie: `theme=dark; access_token=${token}` }],
    ];
    for (const [query, headers] of ways) {
      const probe = await dial(query, headers);
      expect((await probe.nextOfType('connect')).data.user_id).toBe('alice');
    }
  });

  it('[rooms/authentication] [rooms/close-unauthenticated] [rooms/token-format] [rooms/expired-token] fails without a good token, with 4001', async () => {
    const token = await stack.token({ sub: 'alice' });
    const expired = await stack.token({ sub: 'alice', ttlS: -3_600 });
    const cases: [string, string, string][] = [
      ['', 'AUTH_REQUIRED', 'Authentication required'],
      ['?token=', 'AUTH_REQUIRED', 'Authentication required'],
      ['?token=no-jwt', 'INVALID_TOKEN', 'Invalid token'],
      ['?token=a.b.c', 'INVALID_TOKEN', 'Invalid token'],
      [`?token=${token.slice(0, -8)}`, 'INVALID_TOKEN', 'Invalid token'],
      [`?token=${signedByAStranger(token)}`, 'INVALID_TOKEN', 'Invalid token'],
      [`?token=${signedByNobody(token)}`, 'INVALID_TOKEN', 'Invalid token'],
      [`?token=${expired}`, 'TOKEN_EXPIRED', 'Token expired'],
    ];
    for (const [query, code, error] of cases) {
      const away = await turnedAway(query);
      expect([query, away]).toEqual([
        query,
        {
          error: { error, code, correlation_id: expect.stringMatching(CORRELATION_ID) },
          code: 4001,
          reason: 'Authentication required',
        },
      ]);
    }
  });

  it('[rooms/token-permissions] fails with a token for something else', async () => {
    const response = await fetch(`${stack.httpUrl()}/auth/token/new?client_id=alice`, {
      headers: { 'master-token': MASTER_TOKEN },
    });
    const { data } = (await response.json()) as { data: Record<string, string> };
    for (const token of [data.access_token, data.refresh_token, MASTER_TOKEN])
      expect(await turnedAway(`?token=${encodeURIComponent(token ?? '')}`)).toMatchObject({
        error: { code: 'INVALID_TOKEN' },
        code: 4001,
      });
  });

  it('[rooms/refused-token-says-so] fails in another way while nobody can tell about the token', async () => {
    const token = await stack.token({ sub: 'late' });
    stack.auth.pause();
    try {
      expect(await turnedAway(`?token=${token}`)).toMatchObject({
        error: { error: 'Service unavailable', code: 'UNAVAILABLE' },
        code: 1013,
      });
    } finally {
      stack.auth.resume();
    }
    const probe = await dial(`?token=${token}`);
    expect((await probe.nextOfType('connect', 30_000)).data.user_id).toBe('late');
  });
});

describe('a room in the query', () => {
  it('[rooms/query-room-id] [rooms/query-room-type] [rooms/query-room-name] [rooms/joined-at-connect] is joined at once, with its type and name', async () => {
    const token = await stack.token({ sub: 'alice' });
    const types: [string | null, string][] = [
      [null, 'private'],
      ['private', 'private'],
      ['shared', 'shared'],
      ['group', 'group'],
    ];
    for (const [room_type, type] of types) {
      const room_id = `at-connect-${room_type}`;
      const query = { room_id, room_name: 'My Chat Room', ...(room_type && { room_type }) };
      const probe = await openRooms(stack.url(), token, query);
      open.push(probe);
      const joined = await probe.nextOfType('join_room');
      expect(joined.data).toMatchObject({ room_id, room_name: 'My Chat Room', room_type: type });
      expect(probe.frames.map((frame: Frame) => frame.type)).toEqual(['connect', 'join_room']);
    }
    const probe = await openRooms(stack.url(), token, { room_id: 'at-connect-shared' });
    open.push(probe);
    await probe.nextOfType('join_room');
    // What names no room is said in that one.
    const { end } = await ask(probe, POWER.question, { id: 'm-1' });
    expect(end.data).toMatchObject({ room_id: 'at-connect-shared' });
  });

  it('[rooms/query-room-type] of another type, or that is not theirs, is an error, and the connection stays', async () => {
    const owner = await as('owner');
    await owner('POST', '/rooms', { room_id: 'closed', room_type: 'group' });
    const token = await stack.token({ sub: 'stranger' });
    const codes: Record<string, Record<string, string>> = {
      INVALID_FIELD: { room_id: 'r', room_type: 'public' },
      ROOM_DENIED: { room_id: 'closed', room_type: 'group' },
    };
    for (const [code, query] of Object.entries(codes)) {
      const probe = await dial(`?${new URLSearchParams({ token, ...query })}`);
      expect((await refusal(probe)).data.code).toBe(code);
      expect((await ask(probe, POWER.question, { id: code })).end.data.response).toMatch(POWER.answer);
    }
  });
});

describe('rooms over HTTP', () => {
  it('[rooms/create-room] [rooms/get-room] [rooms/room-fields] are made and described', async () => {
    const alice = await as('alice');
    // Lines 360 to 371 of the seed.
    const made = await alice('POST', '/rooms', {
      room_id: 'my-room',
      room_name: 'My Chat Room',
      room_type: 'private',
    });
    const room = {
      room_id: 'my-room',
      name: 'My Chat Room',
      room_type: 'private',
      ai: 'always',
      owner: 'alice',
      role: 'owner',
      participants: ['alice'],
      participants_count: 1,
      members: [{ user_id: 'alice', name: 'ALICE', role: 'owner' }],
      online: [],
      typing_users: [],
      created_at: expect.stringMatching(TIME),
      last_activity: expect.stringMatching(TIME),
    };
    expect(made).toEqual({ status: 201, body: room });
    expect(await alice('GET', '/rooms/my-room')).toEqual({ status: 200, body: room });
    const probe = await openRooms(stack.url(1), await stack.token({ sub: 'alice' }));
    open.push(probe);
    await join(probe, 'my-room');
    await ask(probe, POWER.question, { room: 'my-room', id: 'm-1' });
    const { body } = await alice('GET', '/rooms/my-room');
    expect(body.online).toEqual(['alice']);
    expect(Date.parse(body.last_activity)).toBeGreaterThan(Date.parse(made.body.last_activity));
    expect(body.created_at).toBe(made.body.created_at);
  });

  it('[rooms/create-conflict] are made once: 409 for one that exists, 400 for a bad type or body', async () => {
    const [alice, bob] = [await as('alice'), await as('bob', [], 1)];
    for (const room_type of ['shared', 'group']) {
      const body = { room_id: `taken-${room_type}`, room_type };
      expect((await alice('POST', '/rooms', body)).status).toBe(201);
      for (const again of [alice, bob])
        expect(await again('POST', '/rooms', body)).toMatchObject({
          status: 409,
          body: { code: 'ROOM_EXISTS' },
        });
    }
    // Each user's private rooms are their own.
    for (const status of [201, 409]) {
      for (const curl of [alice, bob])
        expect((await curl('POST', '/rooms', { room_id: 'private-twice' })).status).toBe(status);
    }
    for (const body of [{ room_id: 'r', room_type: 'public' }, { room_type: 'shared' }, {}, '{', '[]', ''])
      expect([body, (await alice('POST', '/rooms', body)).status]).toEqual([body, 400]);
  });

  it('[rooms/get-forbidden] are shown to participants and admins; to others like rooms that do not exist', async () => {
    const [owner, member, stranger] = [await as('owner'), await as('member', [], 1), await as('stranger')];
    const admin = await as('boss', ['admin'], 1);
    await owner('POST', '/rooms', { room_id: 'seen', room_type: 'group' });
    await owner('POST', roomPath('seen', '/members'), { user_id: 'member' });
    for (const curl of [owner, member, admin])
      expect(await curl('GET', roomPath('seen'))).toMatchObject({
        status: 200,
        body: { participants: ['owner', 'member'], participants_count: 2 },
      });
    const plain = ({ status, body }: Awaited<ReturnType<Curl>>) => ({
      status,
      body: { ...body, correlation_id: undefined },
    });
    for (const rest of ['', '/messages']) {
      const forbidden = plain(await stranger('GET', roomPath('seen', rest)));
      expect(forbidden).toMatchObject({ status: 403, body: { code: 'ROOM_DENIED' } });
      expect(plain(await stranger('GET', roomPath('missing', rest)))).toEqual(forbidden);
    }
  });

  it('[rooms/delete-route] are deleted by their owner and admins, and by nobody else', async () => {
    const [owner, member, stranger] = [await as('owner'), await as('member', [], 1), await as('stranger')];
    const admin = await as('boss', ['admin'], 1);
    for (const [room_id, allowed] of [
      ['deleted-by-owner', owner],
      ['deleted-by-admin', admin],
    ] as const) {
      await owner('POST', '/rooms', { room_id, room_type: 'group' });
      await owner('POST', roomPath(room_id, '/members'), { user_id: 'member' });
      expect(await member('DELETE', roomPath(room_id))).toMatchObject({
        status: 403,
        body: { code: 'NOT_MODERATOR' },
      });
      expect(await stranger('DELETE', roomPath(room_id))).toMatchObject({
        status: 403,
        body: { code: 'ROOM_DENIED' },
      });
      expect(await allowed('DELETE', roomPath(room_id))).toEqual({
        status: 200,
        body: { room_id, status: 'deleted' },
      });
      expect((await owner('GET', roomPath(room_id))).status).toBe(403);
      expect((await allowed('DELETE', roomPath(room_id))).status).toBe(403);
    }
  });

  it('want a token, each of them', async () => {
    const nobody = roomsCurl(stack.httpUrl(), null);
    const routes = ['GET /rooms/r', 'DELETE /rooms/r', 'GET /stats', 'GET /connections/c'];
    for (const route of [...routes, 'GET /user/u/connections', 'POST /rooms']) {
      const [method = '', path = ''] = route.split(' ');
      const body = method === 'POST' ? {} : undefined;
      expect([route, (await nobody(method, path, body)).body.code]).toEqual([route, 'AUTH_REQUIRED']);
    }
  });
});

describe('statistics and connections', () => {
  it('[rooms/stats] [rooms/stats-fields] [rooms/stats-admin] count users, rooms and connections of all gateways, for admins only', async () => {
    const [admin, user] = [await as('boss', ['admin'], 1), await as('alice')];
    await expect.poll(async () => (await admin('GET', '/stats')).body.active_connections).toBe(0);
    for (const [sub, gateway] of [
      ['alice', 0],
      ['alice', 1],
      ['bob', 1],
    ] as const) {
      const probe = await openRooms(stack.url(gateway), await stack.token({ sub }));
      open.push(probe);
      await join(probe, 'counted', { room_type: 'shared' });
    }
    expect(await admin('GET', '/stats')).toEqual({
      status: 200,
      body: {
        active_connections: 3,
        total_users: 2,
        active_rooms: 1,
        queued_messages: 0,
        typing_indicators: 0,
        gateways: 2,
      },
    });
    expect(await user('GET', '/stats')).toMatchObject({ status: 403, body: { code: 'ADMIN_ONLY' } });
  });

  it('[rooms/connections-routes] show connections to their user and admins, and to nobody else', async () => {
    const [alice, bob] = [await as('alice'), await as('bob')];
    const admin = await as('boss', ['admin']);
    const probe = await openRooms(stack.url(1), await stack.token({ sub: 'alice' }), { room_id: 'mine' });
    open.push(probe);
    await probe.nextOfType('join_room');
    const { connection_id } = probe.frames[0].data;
    const record = {
      connection_id,
      user_id: 'alice',
      dialect: 'rooms-v1',
      rooms: ['mine'],
      connected_at: expect.stringMatching(TIME),
      gateway: expect.any(String),
    };
    for (const curl of [alice, admin]) {
      expect(await curl('GET', `/connections/${connection_id}`)).toEqual({ status: 200, body: record });
      const { body } = await curl('GET', '/user/alice/connections');
      expect(body).toMatchObject({ user_id: 'alice', count: body.connections.length });
      expect(body.connections).toContainEqual(record);
    }
    const plain = (body: Frame) => ({ ...body, correlation_id: undefined });
    for (const [theirs, missing] of [
      [`/connections/${connection_id}`, '/connections/00000000-0000-4000-8000-000000000000'],
      ['/user/alice/connections', '/user/nobody/connections'],
    ] as const) {
      const [forbidden, unknown] = [await bob('GET', theirs), await bob('GET', missing)];
      expect([forbidden.status, unknown.status]).toEqual([404, 404]);
      expect(plain(forbidden.body)).toEqual(plain(unknown.body));
    }
  });

  it('[rooms/health] are part of /health', async () => {
    const health = async () => (await (await fetch(`${stack.httpUrl()}/health`)).json()) as Frame;
    await expect.poll(async () => (await health()).active_connections).toBe(0);
    open.push(await openRooms(stack.url(), await stack.token({ sub: 'alice' })));
    expect(await health()).toEqual({
      status: 'healthy',
      services: { gateway: 'healthy', broker: 'healthy' },
      active_connections: 1,
    });
  });
});
