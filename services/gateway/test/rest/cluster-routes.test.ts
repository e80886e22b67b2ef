import type { GatewayAnswer, GatewayQuestion } from '@natter/proto';
import { describe, expect, it } from 'vitest';
import { packHashes } from '../../src/cluster/hashes.ts';
import { clusterRoutes } from '../../src/rest/cluster-routes.ts';
import { ask, signIn } from './asked.ts';

function routesOver(...answers: GatewayAnswer[]) {
  const questions: GatewayQuestion[] = [];
  const routes = clusterRoutes({
    ...signIn(),
    cluster: {
      ask: async (question) => {
        questions.push(question);
        return answers.map((answer, index) => ({ gateway: `g${index}`, answer }));
      },
    },
  });
  return { routes, questions };
}

function stats(users: string[], rooms: string[], more = 0): GatewayAnswer {
  const [packedUsers, packedRooms] = [packHashes(users, 100), packHashes(rooms, 100)];
  return {
    ...{ type: 'stats', connections: 10, queuedMessages: 2, typing: 1 },
    users: packedUsers.count + more,
    rooms: packedRooms.count,
    userHashes: packedUsers.hashes,
    roomHashes: packedRooms.hashes,
  };
}

const record = (user_id: string) => ({
  connection_id: 'c1',
  user_id,
  dialect: 'rooms-v1',
  rooms: ['lobby'],
  connected_at: '2026-01-01T00:00:00.000Z',
  gateway: 'g1',
});

describe('GET /api/v1/ws/stats', () => {
  it('counts users and rooms of several gateways once', async () => {
    const { routes } = routesOver(
      stats(['alice', 'bob'], ['=a=1']),
      stats(['bob', 'carol'], ['=a=1', '=b=1']),
    );
    const reply = await ask(routes, 'GET', '/api/v1/ws/stats', { token: 'admin:root' });
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({
      active_connections: 20,
      total_users: 3,
      active_rooms: 2,
      queued_messages: 4,
      typing_indicators: 2,
      gateways: 2,
    });
  });

  it('counts users above the number of hashes as different ones', async () => {
    const { routes } = routesOver(stats(['alice'], [], 5), stats(['alice'], []));
    const reply = await ask(routes, 'GET', '/api/v1/ws/stats', { token: 'admin:root' });
    expect(reply.body.total_users).toBe(6);
  });

  it('is for admins only', async () => {
    const { routes, questions } = routesOver(stats([], []));
    const reply = await ask(routes, 'GET', '/api/v1/ws/stats', { token: 'alice' });
    expect(reply).toMatchObject({ status: 403, body: { code: 'ADMIN_ONLY' } });
    expect((await ask(routes, 'GET', '/api/v1/ws/stats')).status).toBe(401);
    expect(questions).toEqual([]);
  });
});

describe('GET /api/v1/ws/connections/{connection_id}', () => {
  const path = '/api/v1/ws/connections/c1';
  const nothing: GatewayAnswer = { type: 'connection', found: null };

  it('shows a user their own, whichever gateway has it', async () => {
    const { routes, questions } = routesOver(nothing, { type: 'connection', found: record('alice') });
    const reply = await ask(routes, 'GET', path, { token: 'alice' });
    expect([reply.status, reply.body]).toEqual([200, record('alice')]);
    expect(questions).toEqual([{ type: 'connection', id: 'c1' }]);
  });

  it('shows an admin everybody’s', async () => {
    const { routes } = routesOver({ type: 'connection', found: record('alice') });
    expect((await ask(routes, 'GET', path, { token: 'admin:root' })).status).toBe(200);
  });

  it('answers for somebody else’s as for one that does not exist', async () => {
    const foreign = await ask(
      routesOver({ type: 'connection', found: record('alice') }).routes,
      'GET',
      path,
      {
        token: 'mallory',
      },
    );
    const missing = await ask(routesOver(nothing).routes, 'GET', path, { token: 'mallory' });
    for (const reply of [foreign, missing]) delete reply.body.correlation_id;
    expect(foreign).toEqual(missing);
    expect(missing).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });
});

describe('GET /api/v1/ws/user/{user_id}/connections', () => {
  const found: GatewayAnswer = { type: 'user_connections', found: [record('alice')] };

  it('lists a user’s own over all gateways', async () => {
    const { routes } = routesOver(found, found, { type: 'user_connections', found: [] });
    const reply = await ask(routes, 'GET', '/api/v1/ws/user/alice/connections', { token: 'alice' });
    expect(reply.body).toEqual({
      user_id: 'alice',
      connections: [record('alice'), record('alice')],
      count: 2,
    });
  });

  it('shows nobody else’s, and does not say whether there are any', async () => {
    const { routes, questions } = routesOver(found);
    for (const user of ['alice', 'nobody', '%3E', 'x'.repeat(500)]) {
      const reply = await ask(routes, 'GET', `/api/v1/ws/user/${user}/connections`, { token: 'mallory' });
      expect(reply).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    }
    expect(questions).toEqual([]);
  });

  it('shows an admin everybody’s', async () => {
    const { routes } = routesOver(found);
    const reply = await ask(routes, 'GET', '/api/v1/ws/user/alice/connections', { token: 'admin:root' });
    expect(reply.body.count).toBe(1);
  });
});
