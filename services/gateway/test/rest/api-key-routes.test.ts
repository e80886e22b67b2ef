import type { ApiKeyInfo, ApiKeysReply, ApiKeysRequest, Principal } from '@natter/proto';
import { BusError, createLogger } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { apiKeyRoutes } from '../../src/rest/api-key-routes.ts';
import { ask } from './asked.ts';

const PATH = '/api/v1/api-keys';
const ID = 'abcdefghijklmno1';
const KEY = `nk_${ID}_${'s'.repeat(43)}`;
const INFO: ApiKeyInfo = {
  id: ID,
  name: 'ci',
  scopes: ['logs:read'],
  createdAt: Date.parse('2026-01-01T00:00:00Z'),
  expiresAt: Date.parse('2026-01-02T00:00:00Z'),
};
const BODY = {
  id: ID,
  name: 'ci',
  scopes: ['logs:read'],
  created_at: '2026-01-01T00:00:00.000Z',
  expires_at: '2026-01-02T00:00:00.000Z',
};

/** Who shows which token, for the use `api_key`. */
const PRINCIPALS: Record<string, Pick<Principal, 'sub' | 'roles' | 'scopes'>> = {
  root: { sub: 'root', roles: ['admin'], scopes: [] },
  nk_admin: { sub: 'natter:key:a', roles: ['admin'], scopes: ['logs:read', 'logs:write', 'admin'] },
  nk_logs: { sub: 'natter:key:l', roles: [], scopes: ['logs:read', 'logs:write'] },
  alice: { sub: 'alice', roles: [], scopes: ['admin'] },
  hasty: { sub: 'hasty', roles: ['admin'], scopes: [] },
};

function routesWith(answer: ApiKeysReply | Error) {
  const questions: ApiKeysRequest[] = [];
  const lines: string[] = [];
  const routes = apiKeyRoutes({
    auth: {
      verify: async (token, use) => {
        const who = PRINCIPALS[token];
        if (who === undefined || use !== 'api_key') return { ok: false, reason: 'invalid' };
        return { ok: true, principal: { ...who, email: null, name: null, expiresAt: 4_000_000_000 } };
      },
      apiKeys: async (request) => {
        questions.push(request);
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
    requests: { take: (sub) => (sub === 'hasty' ? 7 : 0) },
    log: createLogger('gateway', 'info', { write: (line) => void lines.push(line) }),
  });
  return { routes, questions, lines };
}

describe('POST /api/v1/api-keys', () => {
  it.each(['root', 'nk_admin'])('shows %s a new key, and no log line has it', async (token) => {
    const { routes, questions, lines } = routesWith({ ok: true, key: KEY, keys: [INFO] });
    const body = { name: 'ci', scopes: ['logs:read'], ttl_s: 86_400 };
    const reply = await ask(routes, 'POST', PATH, { token, body });
    expect([reply.status, reply.body]).toEqual([201, { key: KEY, ...BODY }]);
    expect(reply.headers['cache-control']).toBe('no-store');
    expect(questions).toEqual([{ op: 'create', name: 'ci', scopes: ['logs:read'], ttlS: 86_400 }]);
    const text = lines.join('');
    expect(text).toContain(ID);
    expect(text).not.toContain(KEY.slice(-43));
  });

  it('makes one that never expires where no ttl_s is given', async () => {
    const { routes } = routesWith({ ok: true, key: KEY, keys: [{ ...INFO, expiresAt: null }] });
    const body = { name: 'ci', scopes: ['logs:read'] };
    expect((await ask(routes, 'POST', PATH, { token: 'root', body })).body.expires_at).toBeNull();
  });

  it.each([
    ['no name', 'name', { scopes: ['logs:read'] }],
    ['an empty name', 'name', { name: '', scopes: ['logs:read'] }],
    ['a name of 65 characters', 'name', { name: 'x'.repeat(65), scopes: ['logs:read'] }],
    ['no scopes', 'scopes', { name: 'ci', scopes: [] }],
    ['a scope that there is not', 'scopes', { name: 'ci', scopes: ['logs:delete'] }],
    ['a scope that is no list', 'scopes', { name: 'ci', scopes: 'admin' }],
    ['a ttl_s of 0', 'ttl_s', { name: 'ci', scopes: ['admin'], ttl_s: 0 }],
    ['a ttl_s above ten years', 'ttl_s', { name: 'ci', scopes: ['admin'], ttl_s: 10 * 366 * 86_400 + 1 }],
    ['a misspelt ttl_s', 'ttl', { name: 'ci', scopes: ['admin'], ttl: 60 }],
    ['a field with a long name', 'x'.repeat(64), { name: 'ci', scopes: ['admin'], ['x'.repeat(1_000)]: 1 }],
  ])('refuses a body with %s, and names the field', async (_what, detail, body) => {
    const { routes, questions } = routesWith(new Error('not asked'));
    const reply = await ask(routes, 'POST', PATH, { token: 'root', body });
    expect(reply).toMatchObject({ status: 400, body: { code: 'INVALID_FIELD', detail } });
    expect(questions).toEqual([]);
  });

  it('refuses what is no JSON object', async () => {
    const { routes } = routesWith(new Error('not asked'));
    for (const bytes of [Buffer.from('{'), Buffer.from('[]'), Buffer.of(0xff)]) {
      const reply = await ask(routes, 'POST', PATH, { token: 'root', bytes });
      expect(reply).toMatchObject({ status: 400, body: { code: 'INVALID_JSON' } });
    }
  });
});

it('GET /api/v1/api-keys lists the keys', async () => {
  const { routes } = routesWith({ ok: true, keys: [INFO, { ...INFO, expiresAt: null }] });
  const reply = await ask(routes, 'GET', PATH, { token: 'root' });
  expect([reply.status, reply.body]).toEqual([200, { keys: [BODY, { ...BODY, expires_at: null }] }]);
});

describe('DELETE /api/v1/api-keys/{id}', () => {
  it('revokes a key', async () => {
    const { routes, questions } = routesWith({ ok: true, keys: [INFO] });
    const reply = await ask(routes, 'DELETE', `${PATH}/${ID}`, { token: 'root' });
    expect([reply.status, reply.body]).toEqual([200, { id: ID, status: 'revoked' }]);
    expect(questions).toEqual([{ op: 'revoke', id: ID }]);
  });

  it.each(['environment', KEY, '%3E', 'ABCDEFGHIJKLMNOP'])('knows no key with the id %s', async (id) => {
    const { routes, questions } = routesWith(new Error('not asked'));
    const reply = await ask(routes, 'DELETE', `${PATH}/${id}`, { token: 'root' });
    expect(reply).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(questions).toEqual([]);
  });
});

describe.each([
  ['POST', PATH],
  ['GET', PATH],
  ['DELETE', `${PATH}/${ID}`],
] as const)('%s %s', (method, path) => {
  const body = { name: 'ci', scopes: ['logs:read'] };

  it.each([
    ['nobody', undefined, 401, 'AUTH_REQUIRED'],
    ['somebody unknown', 'unknown', 401, 'INVALID_TOKEN'],
    ['a user with a scope but no role', 'alice', 403, 'ADMIN_ONLY'],
    ['a key without the scope admin', 'nk_logs', 403, 'ADMIN_ONLY'],
    ['an admin who asks too often', 'hasty', 429, 'RATE_LIMIT'],
  ] as const)('is not for %s', async (_who, token, status, code) => {
    const { routes, questions } = routesWith(new Error('not asked'));
    const reply = await ask(routes, method, path, { ...(token === undefined ? {} : { token }), body });
    expect(reply).toMatchObject({ status, body: { code } });
    expect(questions).toEqual([]);
  });

  it.each([
    ['invalid', 400, 'INVALID_FIELD'],
    ['not_found', 404, 'NOT_FOUND'],
    ['too_many', 409, 'TOO_MANY_API_KEYS'],
    ['unavailable', 503, 'UNAVAILABLE'],
  ] as const)('answers the refusal %s with %i %s', async (reason, status, code) => {
    const { routes } = routesWith({ ok: false, reason });
    const reply = await ask(routes, method, path, { token: 'root', body });
    expect(reply).toMatchObject({ status, body: { code } });
  });

  it('leaves it to the edge to say that no auth service answers', async () => {
    const { routes } = routesWith(new BusError('UNAVAILABLE', 'nobody'));
    await expect(ask(routes, method, path, { token: 'root', body })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });
});
