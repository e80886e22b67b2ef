/** The HTTP routes of a gateway, and the internal ports of every service. */
import { connect, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, openChat } from '../src/chat.ts';
import { readMetric } from '../src/metrics.ts';
import { reportFailures } from '../src/report-failures.ts';

let stack: Stack;
let token: string;
beforeAll(async () => {
  stack = await startStack({ demo: { tokensPerSecond: 0, firstTokenMs: 0 } });
  token = await stack.token({ sub: 'alice' });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const get = (path: string, init: RequestInit = {}) => fetch(`${stack.httpUrl()}${path}`, init);

function post(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = { authorization: `Bearer ${token}` },
) {
  return get('/api/v1/chat', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
}

async function expectError(response: Response, status: number, code: string): Promise<void> {
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(await response.json()).toEqual({
    error: expect.any(String),
    code,
    correlation_id: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
}

describe('routes about the service', () => {
  it('[http/health] /health, /livez and /readyz say that all is well', async () => {
    const probe = await openChat(stack.url(), token);
    const health = await get('/health');
    expect(health.status).toBe(200);
    expect(await health.json()).toEqual({
      status: 'healthy',
      services: { gateway: 'healthy', broker: 'healthy' },
      active_connections: 1,
    });
    await probe.close();
    for (const path of ['/livez', '/readyz']) {
      const response = await get(path);
      expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
    }
  });

  it('[http/test-page] /ws/test is a page that opens a WebSocket', async () => {
    const page = await get('/ws/test');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    const html = await page.text();
    expect(html).toContain('WebSocket Chat Test');
    expect(html).toContain('ws.onopen');
  });

  it('[http/jwks] /.well-known/jwks.json publishes the key that signed the token, without its secret half', async () => {
    const response = await get('/.well-known/jwks.json');
    expect(response.status).toBe(200);
    const { keys } = (await response.json()) as { keys: Record<string, string>[] };
    const { kid, alg } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    const key = keys.find((candidate) => candidate.kid === kid);
    expect(key).toMatchObject({ kty: 'OKP', crv: 'Ed25519', x: expect.any(String) });
    expect(['EdDSA', 'Ed25519']).toContain(alg);
    expect(JSON.stringify(keys)).not.toMatch(/"d":/);
  });

  it('[http/unknown-route] unknown paths get 404, known ones with another method 405 and Allow', async () => {
    for (const path of ['/', '/ws', '/ws/chat/x', '/api/v1/chat/', '/HEALTH', '/%2e%2e/etc/passwd'])
      await expectError(await get(path), 404, 'NOT_FOUND');
    const wrong = await get('/api/v1/chat');
    expect(wrong.headers.get('allow')).toBe('POST');
    await expectError(wrong, 405, 'METHOD_NOT_ALLOWED');
    const other = await get('/health', { method: 'DELETE' });
    expect(other.headers.get('allow')).toMatch(/\bGET\b/);
    await expectError(other, 405, 'METHOD_NOT_ALLOWED');
  });

  it('[http/upgrade-required] a plain request to a WebSocket path gets 426', async () => {
    await expectError(await get('/ws/chat'), 426, 'UPGRADE_REQUIRED');
  });

  it('[http/no-dev-login] nobody is signed in by name where that is not switched on', async () => {
    expect(await (await get('/api/v1/dev/login')).json()).toEqual({ enabled: false });
    const login = await get('/api/v1/dev/login', {
      method: 'POST',
      body: JSON.stringify({ sub: 'mallory' }),
    });
    await expectError(login, 404, 'NOT_FOUND');
  });

  it('[limits/origin-development] in development pages of localhost may connect, others may not', async () => {
    const url = `${stack.url()}/ws/chat?token=${token}`;
    const probe = await connect(url, { origin: 'http://localhost:5173' });
    await probe.nextOfType('auth_success');
    await probe.close();
    await expect(connect(url, { origin: 'https://localhost.evil.example' })).rejects.toMatchObject({
      status: 403,
    });
  });
});

describe('POST /api/v1/chat', () => {
  const question = JSON.stringify({ message: 'What is the engine power?', session_id: 'over http' });

  it('[http/chat] answers whole, with what the last frame of a socket has', async () => {
    const response = await post(question);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      response: expect.stringContaining('132 kW'),
      session_id: 'over http',
      message_id: expect.any(String),
      metadata: expect.objectContaining({ agent: 'specs', context: { sources: ['specs/engine.md'] } }),
    });
  });

  it('[http/chat-conversation] goes on with a conversation that began on a socket', async () => {
    const probe = await openChat(stack.url(), token);
    await ask(probe, { message: 'How big is the boot?', session_id: 'both ways' });
    await probe.close();
    const response = await post(
      JSON.stringify({ message: 'What was my first question?', session_id: 'both ways' }),
    );
    const { response: text } = (await response.json()) as { response: string };
    expect(text).toContain('Your first question was: "How big is the boot?"');
  });

  it('[http/chat-auth] no token, a bad and an expired one get 401 and WWW-Authenticate', async () => {
    const expired = await stack.token({ sub: 'alice', ttlS: -60 });
    for (const [authorization, code] of [
      ['', 'AUTH_REQUIRED'],
      ['Basic YTpi', 'AUTH_REQUIRED'],
      ['Bearer nonsense', 'INVALID_TOKEN'],
      [`Bearer ${'a'.repeat(4_097)}`, 'INVALID_TOKEN'],
      [`Bearer ${expired}`, 'TOKEN_EXPIRED'],
    ] as const) {
      const response = await post(question, { authorization });
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      await expectError(response, 401, code);
    }
  });

  it('[http/chat-bad-body] a body that is wrong or too large is refused by its code', async () => {
    await expectError(await post('{'), 400, 'INVALID_JSON');
    await expectError(await post('[]'), 400, 'INVALID_JSON');
    await expectError(await post(Buffer.from([0xff, 0xfe])), 400, 'INVALID_JSON');
    await expectError(await post('{"message":" "}'), 400, 'EMPTY_MESSAGE');
    await expectError(await post('{}'), 400, 'EMPTY_MESSAGE');
    await expectError(await post('{"message":"x","session_id":5}'), 400, 'INVALID_FIELD');
    await expectError(await post(JSON.stringify({ message: 'a'.repeat(16_001) })), 413, 'MESSAGE_TOO_LONG');
    await expectError(await post(JSON.stringify({ message: 'a'.repeat(200_000) })), 413, 'BODY_TOO_LARGE');
    expect((await post(question)).status).toBe(200);
  });
});

describe('internal ports', () => {
  it('[internal/metrics] every service counts what it does, away from the public port', async () => {
    const [gateway, agent] = [stack.gateways[0], stack.agents[0]];
    if (gateway === undefined || agent === undefined) throw new Error('no services');
    const probe = await openChat(stack.url(), token);
    expect(await readMetric(gateway, 'natter_gateway_connections')).toBe(1);
    const stored = await readMetric(gateway, 'natter_gateway_turns_total', 'outcome="stored"');
    const completed = await readMetric(agent, 'natter_agent_runs_total', 'outcome="completed"');
    await ask(probe, 'What is the engine power?');
    expect(await readMetric(gateway, 'natter_gateway_turns_total', 'outcome="stored"')).toBe(stored + 1);
    await expect
      .poll(() => readMetric(agent, 'natter_agent_runs_total', 'outcome="completed"'))
      .toBe(completed + 1);
    probe.send('no JSON');
    await probe.nextOfType('error');
    expect(await readMetric(gateway, 'natter_gateway_errors_total', 'code="INVALID_JSON"')).toBeGreaterThan(
      0,
    );
    expect(await readMetric(stack.auth, 'process_cpu_seconds_total')).toBeGreaterThan(0);
    await expectError(await get('/metrics'), 404, 'NOT_FOUND');
    await probe.close();
  });

  it('[internal/health] every service says on its internal port that it is alive and ready', async () => {
    for (const { ports } of [stack.auth, ...stack.agents, ...stack.gateways])
      for (const path of ['/livez', '/readyz'])
        expect((await fetch(`http://127.0.0.1:${ports.internal}${path}`)).status).toBe(200);
  });

  it('[internal/no-tokens-in-logs] no token is written into a log', async () => {
    const [, claims = '', signature = ''] = token.split('.');
    const log = stack.lastWords();
    expect(log).toContain('run ended');
    expect(log).not.toContain(claims);
    expect(log).not.toContain(signature);
  });
});
