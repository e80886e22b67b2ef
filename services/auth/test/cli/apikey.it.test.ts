import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { freePort } from '@natter/runtime';
import { type Stack, startStack } from '@natter/testkit';
import { decodeJwt } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../forge.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/apikey.ts', import.meta.url));
const ID = 'abcdefghijklmno1';
const KEY = { id: ID, name: 'ci', scopes: ['logs:read'], created_at: '2026-01-01', expires_at: null };

/** Runs the program while this process goes on serving. */
async function run(args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.on('exit', resolve)),
  ]);
  return { status, stdout, stderr };
}

/** A gateway that answers every request alike. */
async function gatewayThatAnswers(status: number, body: unknown, headers: Record<string, string> = {}) {
  const requests: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(request);
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  return { port, requests };
}

const folder = () => ({ NATTER_ROOT: temporaryFolder(), NATTER_DATA_DIR: 'data' });

describe('npm run apikey', () => {
  it.each([[['--help']], [['create', '-h']]])('prints its usage for %j', async (args) => {
    const { status, stdout, stderr } = await run(args, folder());
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^usage: npm run -s apikey/);
  });

  it('asks as an admin for a minute, at the port that .env names', async () => {
    const { port, requests } = await gatewayThatAnswers(200, { keys: [KEY] });
    const env = folder();
    writeFileSync(join(env.NATTER_ROOT, '.env'), `PORT=${port}\n`);
    const { status, stdout, stderr } = await run(['list'], env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(ID);
    const claims = decodeJwt(requests[0]?.headers.authorization?.replace('Bearer ', '') ?? '');
    expect(claims).toMatchObject({ sub: 'apikey', roles: ['admin'] });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(60);
  });

  it('shows NATTER_ADMIN_TOKEN instead where it is set, and makes no key of its own', async () => {
    const { port, requests } = await gatewayThatAnswers(200, { id: ID, status: 'revoked' });
    const env = { ...folder(), NATTER_ADMIN_TOKEN: 'the-token', NATTER_JWT_SECRET: 'too short to start' };
    const { status } = await run(['revoke', ID, '--url', `http://127.0.0.1:${port}/`], env);
    expect(status).toBe(0);
    expect(requests.map(({ method, url, headers }) => [method, url, headers.authorization])).toEqual([
      ['DELETE', `/api/v1/api-keys/${ID}`, 'Bearer the-token'],
    ]);
  });

  it('takes no token behind a redirect', async () => {
    const elsewhere = await gatewayThatAnswers(200, { keys: [] });
    const location = `http://127.0.0.1:${elsewhere.port}/`;
    const { port } = await gatewayThatAnswers(307, '', { location });
    expect((await run(['list'], { ...folder(), PORT: String(port) })).status).toBe(1);
    expect(elsewhere.requests).toEqual([]);
  });

  it.each([
    ['an unknown key', 4, 404, { error: 'Not found', code: 'NOT_FOUND' }, 'no such key'],
    ['a refused token', 1, 401, { error: 'Invalid token', code: 'INVALID_TOKEN' }, 'NATTER_DATA_DIR'],
    ['no admin', 1, 403, { error: 'Admin role required', code: 'ADMIN_ONLY' }, 'Admin role required'],
    ['no auth service', 1, 503, { error: 'Service unavailable', code: 'UNAVAILABLE' }, 'UNAVAILABLE'],
    ['another server', 1, 200, '<html>', 'not as a gateway does'],
    ['another server with JSON', 1, 200, { id: 'x' }, 'not as a gateway does'],
  ])('says in one line that there is %s', async (_what, exit, status, body, words) => {
    const { port } = await gatewayThatAnswers(status, body);
    const ran = await run(['revoke', ID], { ...folder(), PORT: String(port) });
    expect(ran).toMatchObject({ status: exit, stdout: '', stderr: expect.stringContaining(words) });
    expect(ran.stderr.split('\n')).toHaveLength(2);
  });

  it('says in one line that no gateway runs', async () => {
    const port = String(await freePort());
    const { status, stdout, stderr } = await run(['list'], { ...folder(), PORT: port });
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toBe(
      `no gateway answers at http://127.0.0.1:${port}: is it running there? (--url names another)\n`,
    );
  });

  it('signs no token for a gateway on another machine', async () => {
    for (const url of ['https://chat.invalid', 'http://127.0.0.1.chat.invalid']) {
      const ran = await run(['list', '--url', url], folder());
      expect(ran).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('ADMIN_TOKEN') });
    }
  });

  it('shows nothing of an answer that would write to the terminal', async () => {
    const refusal = { error: '\u001b[2Jdone\u202e', code: 'NO\nYES' };
    const refused = await gatewayThatAnswers(403, refusal);
    const { stderr } = await run(['list'], { ...folder(), PORT: String(refused.port) });
    expect(stderr).toBe('the gateway refused: \\u001b[2Jdone\\u202e (NO\\u000aYES)\n');
    const create = ['create', '--name', 'ci', '--scope', 'logs:read'];
    const made = await gatewayThatAnswers(201, { ...KEY, id: '\u001b[2J', key: 'nk_x' });
    const ran = await run(create, { ...folder(), PORT: String(made.port) });
    expect(ran).toMatchObject({ status: 0, stdout: 'nk_x\n', stderr: expect.stringContaining('\\u001b[2J') });
    const bad = await gatewayThatAnswers(201, { ...KEY, key: 'nk_x\u001b[2J' });
    const none = await run(create, { ...folder(), PORT: String(bad.port) });
    expect(none).toMatchObject({ status: 1, stdout: '' });
  });

  it('says how it is used, and which setting is wrong', async () => {
    const usage = await run(['create'], folder());
    expect(usage).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('usage:') });
    for (const PORT of ['0', 'http']) {
      const setting = await run(['list'], { ...folder(), PORT });
      expect(setting).toMatchObject({ status: 2, stderr: expect.stringContaining('PORT') });
    }
  });
});

describe('on a whole stack', () => {
  let stack: Stack;
  const ask = (args: string[], env: Record<string, string> = {}, gateway = 0) =>
    run([...args, '--url', stack.httpUrl(gateway)], {
      NATTER_ROOT: stack.dataDir,
      NATTER_DATA_DIR: stack.dataDir,
      ...env,
    });

  it('[apikeys/cli] a key lives from its creation to its revocation, on either gateway', async () => {
    stack = await startStack({ gateways: 2 });
    onTestFinished(() => stack.stop());
    const made = await ask(['create', '--name', 'ci', '--scope', 'admin', '--ttl', '1d']);
    expect(made).toMatchObject({ status: 0, stdout: expect.stringMatching(/^nk_[a-z0-9]{16}_[\w-]{43}\n$/) });
    const key = made.stdout.trim();
    const id = key.split('_')[1] ?? '';
    expect(made.stderr).toContain(id);
    expect(made.stderr).not.toContain(key);

    const logs = await ask(['create', '--name', 'logs', '--scope', 'logs:read'], { NATTER_ADMIN_TOKEN: key });
    const list = await ask(['list'], { NATTER_ADMIN_TOKEN: key }, 1);
    expect(list.stdout).toMatch(new RegExp(`^${id}  ci    admin      \\S+  \\d{4}-\\S+$`, 'm'));
    expect(list.stdout).toMatch(/ {2}logs {2}logs:read {2}\S+ {2}never$/m);
    expect(list.stdout).not.toContain(key.slice(-43));
    const notAdmin = await ask(['list'], { NATTER_ADMIN_TOKEN: logs.stdout.trim() });
    expect(notAdmin).toMatchObject({ status: 1, stderr: expect.stringContaining('ADMIN_ONLY') });

    // A key opens no route that is for people.
    const headers = { authorization: `Bearer ${key}` };
    const stats = await fetch(`${stack.httpUrl()}/api/v1/ws/stats`, { headers });
    expect([stats.status, await stats.json()]).toMatchObject([401, { code: 'INVALID_TOKEN' }]);

    expect(await ask(['revoke', id])).toMatchObject({ status: 0, stdout: `${id} is revoked\n`, stderr: '' });
    for (const gateway of [0, 1]) {
      const refused = await ask(['list'], { NATTER_ADMIN_TOKEN: key }, gateway);
      expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('INVALID_TOKEN') });
    }
    expect((await ask(['revoke', id])).status).toBe(4);
    expect(stack.lastWords()).not.toContain(key.slice(-43));
  }, 120_000);
});
