import { connect, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const MASTER = 'a-master-token-of-the-test-with-32-bytes';
let stack: Stack;
let alice: string;
let mallory: string;
let root: string;

beforeAll(async () => {
  stack = await startStack({ gateways: 2, env: { MASTER_TOKEN: MASTER } });
  alice = await stack.token({ sub: 'alice', name: 'Alice' });
  mallory = await stack.token({ sub: 'mallory' });
  root = await stack.token({ sub: 'root', roles: ['admin'] });
}, 60_000);

afterAll(() => stack.stop());

async function ask(token: string, method: string, path: string, body?: unknown, gateway = 0) {
  const response = await fetch(`${stack.httpUrl(gateway)}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: the body of any route
  return { status: response.status, body: (await response.json()) as any };
}

const ROOMS = '/api/v1/ws/rooms';

describe('rooms over HTTP, on a whole stack', () => {
  it('live from their creation to their deletion, on either gateway', async () => {
    const made = await ask(alice, 'POST', ROOMS, { room_id: 'a/b >', room_type: 'group' });
    expect(made).toMatchObject({ status: 201, body: { room_id: 'a/b >', owner: 'alice', role: 'owner' } });
    const path = `${ROOMS}/${encodeURIComponent('a/b >')}`;
    expect((await ask(alice, 'POST', ROOMS, { room_id: 'a/b >', room_type: 'group' }, 1)).status).toBe(409);
    expect((await ask(mallory, 'GET', path, undefined, 1)).status).toBe(403);

    const added = await ask(alice, 'POST', `${path}/members`, { user_id: 'mallory' }, 1);
    expect(added).toMatchObject({ status: 200, body: { status: 'added' } });
    const seen = await ask(mallory, 'GET', path);
    expect(seen).toMatchObject({ status: 200, body: { participants: ['alice', 'mallory'], role: 'member' } });
    expect((await ask(mallory, 'DELETE', path)).body.code).toBe('NOT_MODERATOR');
    const renamed = await ask(alice, 'PATCH', path, { room_name: 'New', ai: 'never' });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'New', ai: 'never', participants_count: 2 } });

    expect((await ask(alice, 'POST', `${path}/bans`, { user_id: 'mallory' })).status).toBe(200);
    expect((await ask(mallory, 'GET', path)).status).toBe(403);
    expect((await ask(alice, 'DELETE', `${path}/bans/mallory`)).status).toBe(200);
    expect((await ask(alice, 'DELETE', path, undefined, 1)).status).toBe(200);
    expect((await ask(alice, 'GET', path)).status).toBe(403);
  });

  it('that are foreign and that are missing get the same answer, byte for byte', async () => {
    await ask(alice, 'POST', ROOMS, { room_id: 'secret', room_type: 'group' });
    for (const [method, rest, body] of [
      ['GET', '', undefined],
      ['GET', '/messages', undefined],
      ['PATCH', '', { room_name: 'x' }],
      ['DELETE', '', undefined],
      ['POST', '/members', { user_id: 'mallory' }],
      ['DELETE', '/members/alice', undefined],
      ['POST', '/bans', { user_id: 'alice' }],
      ['DELETE', '/bans/alice', undefined],
    ] as const) {
      const foreign = await ask(mallory, method, `${ROOMS}/secret${rest}`, body);
      const missing = await ask(mallory, method, `${ROOMS}/nothing${rest}`, body);
      for (const reply of [foreign, missing]) delete reply.body.correlation_id;
      expect([method, rest, foreign.status, foreign.body]).toEqual([
        method,
        rest,
        missing.status,
        missing.body,
      ]);
      expect(foreign.status).toBe(403);
    }
  });

  it('show the transcript of a conversation to its owner only', async () => {
    const asked = await ask(alice, 'POST', '/api/v1/chat', {
      message: 'How strong is it?',
      session_id: 's 1',
    });
    expect(asked.status).toBe(200);
    const { body } = await ask(alice, 'GET', `${ROOMS}/s%201/messages`, undefined, 1);
    expect(body.messages.map(({ role }: { role: string }) => role)).toEqual(['user', 'assistant']);
    expect(body.messages[0]).toMatchObject({ user_id: 'alice', content: 'How strong is it?' });
    expect(body.messages[1]).toMatchObject({ content: asked.body.response, status: 'completed' });
    expect((await ask(mallory, 'GET', `${ROOMS}/s%201/messages`)).status).toBe(403);
  }, 30_000);
});

describe('tokens over HTTP', () => {
  it('of rooms-v1 open the routes of rooms, and nothing that wants an access token', async () => {
    const { status, body } = await ask(alice, 'POST', '/api/v1/ws/token');
    expect([status, body.expires_in]).toEqual([200, 86_400]);
    expect((await ask(body.token, 'GET', '/api/v1/ws/user/alice/connections')).status).toBe(200);
    expect((await ask(body.token, 'POST', '/api/v1/ws/token')).body.code).toBe('INVALID_TOKEN');
    expect((await ask(body.token, 'POST', '/api/v1/chat', { message: 'hi' })).body.code).toBe(
      'INVALID_TOKEN',
    );
  });

  it('of fastchat-v1 are given to the master token, and renewed', async () => {
    const url = `${stack.httpUrl()}/auth/token`;
    const made = await fetch(`${url}/new?client_id=c1`, { headers: { 'MASTER-TOKEN': MASTER } });
    // biome-ignore lint/suspicious/noExplicitAny: the body of any route
    const { data, ...envelope } = (await made.json()) as any;
    expect(envelope).toEqual({ status: 'success', message: 'Token generated', code: 200 });
    expect(data.client_id).toBe('c1');
    const refreshed = await fetch(`${url}/refresh?refresh_token=${data.refresh_token}`);
    expect(await refreshed.json()).toMatchObject({ code: 200, data: { client_id: 'c1' } });
    const refused = await fetch(`${url}/new?client_id=c1`, { headers: { 'MASTER-TOKEN': 'wrong' } });
    expect([refused.status, await refused.json()]).toEqual([
      401,
      { status: 'error', message: 'Invalid master token', code: 401 },
    ]);
    const swapped = await fetch(`${url}/refresh?refresh_token=${data.access_token}`);
    expect(swapped.status).toBe(401);
  });
});

describe('statistics and connections', () => {
  it('are those of both gateways, and each user’s own', async () => {
    const sockets = await Promise.all(
      [0, 1].map((gateway) => connect(`${stack.url(gateway)}/api/v1/ws/ws?token=${alice}`)),
    );
    const mine = () => ask(alice, 'GET', '/api/v1/ws/user/alice/connections');
    await vi.waitUntil(async () => (await mine()).body.count === 2, { timeout: 10_000, interval: 100 });
    const { body } = await mine();
    const [one, two] = body.connections;
    expect(new Set([one.gateway, two.gateway]).size).toBe(2);
    for (const { connection_id: id } of [one, two]) {
      const path = `/api/v1/ws/connections/${id}`;
      expect((await ask(alice, 'GET', path)).body).toMatchObject({ connection_id: id, dialect: 'rooms-v1' });
      expect((await ask(mallory, 'GET', path)).status).toBe(404);
      expect((await ask(root, 'GET', path)).status).toBe(200);
    }
    const stats = await ask(root, 'GET', '/api/v1/ws/stats');
    expect(stats.body).toMatchObject({ active_connections: 2, total_users: 1, gateways: 2 });
    expect((await ask(alice, 'GET', '/api/v1/ws/stats')).body.code).toBe('ADMIN_ONLY');
    for (const socket of sockets) socket.close();
  });
});
