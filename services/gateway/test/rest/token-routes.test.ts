import type { IssueReply, IssueRequest } from '@natter/proto';
import { BusError, createLogger } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { tokenRoutes } from '../../src/rest/token-routes.ts';
import { ask } from './asked.ts';

function routesOver(reply: IssueReply | Error) {
  const requests: IssueRequest[] = [];
  const routes = tokenRoutes({
    auth: {
      issue: async (request) => {
        requests.push(request);
        if (reply instanceof Error) throw reply;
        return reply;
      },
    },
    log: createLogger('gateway', 'silent'),
  });
  return { routes, requests };
}

const issued: IssueReply = { ok: true, sub: 'c1', token: 'A', expiresInS: 86_400, refreshToken: 'R' };
const refused = (reason: Extract<IssueReply, { ok: false }>['reason']): IssueReply => ({ ok: false, reason });

describe('POST /api/v1/ws/token', () => {
  it('gives the token of seeds/004', async () => {
    const { routes, requests } = routesOver(issued);
    const reply = await ask(routes, 'POST', '/api/v1/ws/token', { token: 'access' });
    expect(reply).toMatchObject({ status: 200, body: { token: 'A', expires_in: 86_400 } });
    expect(requests).toEqual([{ kind: 'websocket', accessToken: 'access' }]);
  });

  it.each([
    ['invalid', 401, 'INVALID_TOKEN'],
    ['expired', 401, 'TOKEN_EXPIRED'],
    ['unavailable', 503, 'UNAVAILABLE'],
  ] as const)('answers %s with %i %s', async (reason, status, code) => {
    const { routes } = routesOver(refused(reason));
    const reply = await ask(routes, 'POST', '/api/v1/ws/token', { token: 'x' });
    expect(reply).toMatchObject({ status, body: { code } });
  });

  it('wants a token, and not one of any length', async () => {
    const { routes, requests } = routesOver(issued);
    expect((await ask(routes, 'POST', '/api/v1/ws/token')).body.code).toBe('AUTH_REQUIRED');
    const long = { token: 'x'.repeat(5_000) };
    expect((await ask(routes, 'POST', '/api/v1/ws/token', long)).body.code).toBe('INVALID_TOKEN');
    expect(requests).toEqual([]);
  });
});

describe('GET /auth/token/new', () => {
  const master = { headers: { 'master-token': 'M' } };

  it('gives tokens in the envelope of the original', async () => {
    const { routes, requests } = routesOver(issued);
    const reply = await ask(routes, 'GET', '/auth/token/new?client_id=c1', master);
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({
      status: 'success',
      message: 'Token generated',
      code: 200,
      data: { client_id: 'c1', access_token: 'A', refresh_token: 'R' },
    });
    expect(requests).toEqual([{ kind: 'client', masterToken: 'M', clientId: 'c1' }]);
  });

  it('lets the auth service choose a client id where none is given', async () => {
    const { routes, requests } = routesOver(issued);
    await ask(routes, 'GET', '/auth/token/new', master);
    expect(requests).toEqual([{ kind: 'client', masterToken: 'M', clientId: null }]);
  });

  it('wants the master token', async () => {
    const { routes, requests } = routesOver(issued);
    const reply = await ask(routes, 'GET', '/auth/token/new?client_id=c1', { token: 'M' });
    expect(reply.body).toEqual({ status: 'error', message: 'Invalid master token', code: 401 });
    expect(requests).toEqual([]);
  });

  it.each([
    ['invalid', 401],
    ['bad_client_id', 400],
    ['disabled', 404],
    ['store_failed', 502],
    ['unavailable', 503],
  ] as const)('answers %s with %i in the same envelope', async (reason, status) => {
    const { routes } = routesOver(refused(reason));
    const reply = await ask(routes, 'GET', '/auth/token/new?client_id=c1', master);
    expect(reply).toMatchObject({ status, body: { status: 'error', code: status } });
    expect(reply.body.data).toBeUndefined();
  });

  it('tells nothing of what went wrong inside', async () => {
    const { routes } = routesOver(new Error('secret'));
    const reply = await ask(routes, 'GET', '/auth/token/new', master);
    expect(reply.body).toEqual({ status: 'error', message: 'Internal error', code: 500 });
    const { routes: away } = routesOver(new BusError('UNAVAILABLE', 'secret'));
    expect((await ask(away, 'GET', '/auth/token/new', master)).status).toBe(503);
  });
});

describe('GET /auth/token/refresh', () => {
  it('gives new tokens for a refresh token', async () => {
    const { routes, requests } = routesOver(issued);
    const reply = await ask(routes, 'GET', '/auth/token/refresh?refresh_token=R');
    expect(reply).toMatchObject({ status: 200, body: { code: 200, data: { client_id: 'c1' } } });
    expect(requests).toEqual([{ kind: 'refresh', refreshToken: 'R' }]);
  });

  it.each([
    ['', 400],
    ['?refresh_token=', 400],
    [`?refresh_token=${'x'.repeat(4_097)}`, 401],
  ])('asks nobody about %.20s', async (query, status) => {
    const { routes, requests } = routesOver(issued);
    expect((await ask(routes, 'GET', `/auth/token/refresh${query}`)).body.code).toBe(status);
    expect(requests).toEqual([]);
  });

  it('refuses a bad one with 401', async () => {
    const { routes } = routesOver(refused('invalid'));
    const reply = await ask(routes, 'GET', '/auth/token/refresh?refresh_token=x');
    expect(reply.body).toEqual({ status: 'error', message: 'Invalid refresh token', code: 401 });
  });
});
