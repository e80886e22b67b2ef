import { createLogger } from '@natter/runtime';
import { describe, expect, it, vi } from 'vitest';
import type { AppendRefusal } from '../../src/bus/logs/log-appender.ts';
import { logRoutes } from '../../src/rest/log-routes.ts';
import { type Ask, ask } from './asked.ts';

/** The token is a list of scopes; `admin` is a role too. */
function rig({ take = (): number => 0 } = {}) {
  const append = vi.fn<(line: { subject: string; data: string }) => Promise<AppendRefusal | null>>(
    async () => null,
  );
  const question = vi.fn(async ({ type }: { type: string }) =>
    [3, 4].map((count) => ({ gateway: 'g', answer: { type, count } })),
  );
  const routes = logRoutes({
    auth: {
      verify: async (token, use) => {
        if (token === 'bad' || use !== 'api_key') return { ok: false, reason: 'invalid' };
        const scopes = token.split(' ');
        const roles = scopes.includes('admin') ? ['admin'] : [];
        const principal = { sub: token, email: null, name: null, roles, scopes, expiresAt: 4e9 };
        return { ok: true, principal };
      },
    },
    requests: { take },
    log: createLogger('gateway', 'silent'),
    cluster: { ask: question as never },
    lines: { append },
    now: () => Date.UTC(2026, 0, 1),
  });
  const post = (path: string, asked: Ask = {}) =>
    ask(routes, 'POST', `/api/${path}`, { token: 'logs:write', ...asked });
  return { routes, append, question, post };
}

const lines = (...texts: string[]) => ({ bytes: Buffer.from(texts.join('\n')) });

describe('POST /api/logs', () => {
  it('says which lines were stored and which were not, and why', async () => {
    const { post, append } = rig();
    append.mockImplementation(async ({ data }) => (data.includes('unlucky') ? 'UNAVAILABLE' : null));
    const { status, body } = await post(
      'logs',
      lines('{"msg":"a"}', 'nonsense', '{"msg":"unlucky"}', '{"msg":"b"}'),
    );
    expect([status, body]).toEqual([
      200,
      {
        accepted: 2,
        refused: [
          { line: 1, code: 'INVALID_LOG_LINE', detail: 'not JSON' },
          { line: 2, code: 'UNAVAILABLE' },
        ],
      },
    ]);
  });

  it('lets others have their turn within a long batch', async () => {
    const { post, append } = rig();
    let turns = 0;
    const turn = () => {
      turns += 1;
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    const { body } = await post('logs', lines(...Array(1_000).fill('{"msg":"a"}')));
    clearImmediate(next);
    expect([(body as { accepted: number }).accepted, append.mock.calls.length]).toEqual([1_000, 1_000]);
    expect(turns).toBeGreaterThan(10);
  });

  it('lets others have their turn within a few long lines', async () => {
    const { post } = rig();
    let turns = 0;
    const turn = () => {
      turns += 1;
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    const line = `{"msg":"${'x'.repeat(65_000)}"}`;
    const { body } = await post('logs', lines(...Array(15).fill(line)));
    clearImmediate(next);
    expect((body as { accepted: number }).accepted).toBe(15);
    expect(turns).toBeGreaterThan(6);
  });

  it.each([
    ['bad', 0, 401],
    ['logs:read', 0, 403],
    ['logs:write', 7, 429],
  ])('reads nothing of a body before it knows that the key %s may write', async (token, wait, status) => {
    const { routes } = rig({ take: () => wait });
    const route = routes.find(({ path }) => path === '/api/logs');
    const reply = await route?.handle({
      ...{ param: () => '', query: () => undefined, body: new Uint8Array() },
      header: (name) => (name === 'authorization' ? `Bearer ${token}` : ''),
      pieces: {
        [Symbol.asyncIterator]: () => {
          throw new Error('was read');
        },
      },
      signal: new AbortController().signal,
    });
    expect(reply?.status).toBe(status);
  });

  it('stores nothing of a body whose client has gone', async () => {
    const { routes, append } = rig();
    const client = new AbortController();
    const route = routes.find(({ path }) => path === '/api/logs');
    await route?.handle({
      ...{ param: () => '', query: () => undefined, body: new Uint8Array() },
      header: (name) => (name === 'authorization' ? 'Bearer logs:write' : ''),
      pieces: (async function* () {
        yield Buffer.from('{"msg":"a"}\n{"msg":');
        client.abort();
      })(),
      signal: client.signal,
    });
    expect(append).not.toHaveBeenCalled();
  });

  it('refuses a body for which there is no room until another one is answered', async () => {
    const { post, append } = rig();
    const stored = Promise.withResolvers<null>();
    append.mockReturnValue(stored.promise);
    const headers = { 'content-length': String(1024 * 1024) };
    const big = { ...lines('{"msg":"a"}'), headers };
    const first = Array.from({ length: 15 }, () => post('logs', big));
    // One of unknown length counts as the longest.
    first.push(post('logs', { ...lines('{"msg":"a"}'), headers: { 'transfer-encoding': 'chunked' } }));
    expect(await post('logs', lines('{"msg":"b"}'))).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { code: 'TOO_MANY_CONNECTIONS' },
    });
    stored.resolve(null);
    for (const { status } of await Promise.all(first)) expect(status).toBe(200);
    expect((await post('logs', big)).status).toBe(200);
  });

  it('does not answer before the broker has every line', async () => {
    const { post, append } = rig();
    const { promise, resolve } = Promise.withResolvers<null>();
    append.mockReturnValueOnce(promise);
    let answered = false;
    const answer = post('logs', lines('{"msg":"a"}', '{"msg":"b"}')).then(() => {
      answered = true;
    });
    await new Promise((done) => setImmediate(done));
    expect([answered, append.mock.calls.length]).toEqual([false, 2]);
    resolve(null);
    await answer;
  });

  it('is an error where no line was stored, worth a retry if one of them is', async () => {
    const { post, append } = rig();
    const refused = [
      { line: 0, detail: 'msg' },
      { line: 1, detail: 'not JSON' },
    ];
    expect(await post('logs', lines('{}', '[]'))).toMatchObject({
      status: 400,
      body: { code: 'INVALID_LOG_LINE', accepted: 0, refused },
    });
    append.mockResolvedValue('UNAVAILABLE');
    expect(await post('logs', lines('{}', '{"msg":"x"}'))).toMatchObject({
      status: 503,
      body: { code: 'UNAVAILABLE', accepted: 0 },
    });
  });

  it('takes no empty body, and not too many lines', async () => {
    const { post } = rig();
    expect(await post('logs', lines(''))).toMatchObject({ status: 400, body: { code: 'INVALID_JSON' } });
    const many = lines(...Array.from({ length: 1_001 }, () => '{"msg":"x"}'));
    expect(await post('logs', many)).toMatchObject({ status: 413 });
  });
});

describe('POST /api/broadcast-log', () => {
  it('stores the message of the query, and answers as the original', async () => {
    const { post, append } = rig();
    expect(await post('broadcast-log?message=System%20update%20completed.')).toMatchObject({
      status: 200,
      body: { status: 'success', message: 'Log broadcasted: System update completed.' },
    });
    expect(append.mock.calls[0]?.[0].subject).toBe('log.external.info.broadcast');
  });

  it('takes level, category and service in a body', async () => {
    const { post, append } = rig();
    const body = { message: 'x', level: 'warn', category: 'jobs', service: 'cron' };
    expect((await post('broadcast-log', { body })).status).toBe(200);
    expect(append.mock.calls[0]?.[0].subject).toBe('log.cron.warn.jobs');
  });

  it.each([
    [{ message: ' ' }, 'EMPTY_MESSAGE', 400, undefined],
    [{}, 'INVALID_FIELD', 400, 'message'],
    [{ message: 7 }, 'INVALID_FIELD', 400, 'message'],
    [{ message: 'x'.repeat(16_001) }, 'MESSAGE_TOO_LONG', 413, undefined],
    [{ message: 'x', service: 'auth' }, 'INVALID_LOG_LINE', 400, 'reserved service'],
    [{ message: 'x', level: 'loud' }, 'INVALID_LOG_LINE', 400, 'level'],
    ['text', 'INVALID_JSON', 400, undefined],
  ])('refuses %o', async (body, code, status, detail) => {
    const { post, append } = rig();
    const answer = await post('broadcast-log', { body });
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.body.detail).toBe(detail);
    expect(append).not.toHaveBeenCalled();
  });

  it('says that the message is missing where there is neither query nor body', async () => {
    const { post, append } = rig();
    expect(await post('broadcast-log', { bytes: Buffer.alloc(0) })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_FIELD', detail: 'message' },
    });
    expect(append).not.toHaveBeenCalled();
  });

  it('says so when it could not be stored', async () => {
    const { post, append } = rig();
    append.mockResolvedValue('UNAVAILABLE');
    expect(await post('broadcast-log?message=x')).toMatchObject({ status: 503 });
  });

  it('does not say a secret again', async () => {
    const { post } = rig();
    const { body } = await post(`broadcast-log?message=${encodeURIComponent('token=S3cr3tCanary')}`);
    expect(JSON.stringify(body)).not.toContain('S3cr3tCanary');
  });
});

describe('sockets of logs', () => {
  it('are counted over all gateways', async () => {
    const { routes } = rig();
    const answer = await ask(routes, 'GET', '/api/get-active-websockets', { token: 'logs:read' });
    expect(answer).toMatchObject({ status: 200, body: { active_websockets: 7 } });
  });

  it('are closed on all gateways by an admin', async () => {
    const { post, question } = rig();
    expect(await post('disconnect-all-websockets', { token: 'admin' })).toMatchObject({
      status: 200,
      body: { status: 'success', disconnected: 7 },
    });
    expect(question).toHaveBeenCalledWith({ type: 'disconnect_log_sockets' });
  });
});

describe('every route of logs', () => {
  const ROUTES = [
    ['POST', '/api/logs', 'logs:read', 'SCOPE_REQUIRED'],
    ['POST', '/api/broadcast-log?message=x', 'logs:read', 'SCOPE_REQUIRED'],
    ['GET', '/api/get-active-websockets', 'logs:write', 'SCOPE_REQUIRED'],
    ['POST', '/api/disconnect-all-websockets', 'logs:read logs:write', 'ADMIN_ONLY'],
  ] as const;

  it.each(ROUTES)('%s %s needs a key that may', async (method, url, scopes, code) => {
    const { routes, append, question } = rig();
    expect(await ask(routes, method, url)).toMatchObject({ status: 401 });
    expect(await ask(routes, method, url, { token: 'bad' })).toMatchObject({ status: 401 });
    expect(await ask(routes, method, url, { token: scopes })).toMatchObject({ status: 403, body: { code } });
    expect([append.mock.calls, question.mock.calls]).toEqual([[], []]);
  });

  it.each(ROUTES)('%s %s counts against the rate of the key', async (method, url) => {
    const { routes, append } = rig({ take: () => 7 });
    const answer = await ask(routes, method, url, { token: 'admin', body: { msg: 'x' } });
    expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '7' } });
    expect(append).not.toHaveBeenCalled();
  });
});
