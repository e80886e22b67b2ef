/** fastchat-v1 with a token store outside, and with secrets that nobody has set. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  ACCEPTED,
  askFastchat,
  askTokens,
  dialFastchat,
  openFastchat,
  textOf,
} from '../src/fastchat-chat.ts';
import { reportFailures } from '../src/report-failures.ts';
import { codeBelow } from '../src/seed-document.ts';
import { type HttpTokenStore, startTokenStore } from '../src/token-store.ts';

/** How long a token that the store knew stays good unasked: docs/reference/tokens.md. */
const REMEMBERED_MS = 5_000;

let stack: Stack;
let store: HttpTokenStore;
let folder: string;
let master: Record<string, string>;
beforeAll(async () => {
  store = await startTokenStore('/mydb/data');
  folder = mkdtempSync(join(tmpdir(), 'natter-config-'));
  const config = join(folder, 'config.json');
  // The seed's own example; only the address of the store is another.
  const example = codeBelow('auth_middleware fill in config file', '000');
  writeFileSync(config, example.replace('http://127.0.0.1:6789/mydb/data', store.path));
  stack = await startStack({
    demo: { tokensPerSecond: 0, firstTokenMs: 0 },
    env: { NATTER_CONFIG_FILE: config },
  });
  master = { 'master-token': readFileSync(join(stack.dataDir, 'auth/master-token'), 'utf8').trim() };
});
afterAll(async () => {
  await stack?.stop();
  await store?.down();
  if (folder) rmSync(folder, { recursive: true });
});
reportFailures(() => stack);

const open: Probe[] = [];
afterEach(() => Promise.all(open.splice(0).map((probe) => probe.close())));

async function newTokens(client: string): Promise<{ access_token: string; refresh_token: string }> {
  const { status, body } = await askTokens(stack.httpUrl(), `new?client_id=${client}`, master);
  expect(status).toBe(200);
  return body.data;
}

async function dial(token: string): Promise<Probe> {
  const probe = await dialFastchat(stack.url(), { headers: { 'ACCESS-TOKEN': token } });
  open.push(probe);
  return probe;
}

async function expectIn(token: string): Promise<void> {
  const probe = await dial(token);
  expect(await probe.next()).toEqual(ACCEPTED);
  expect(textOf(await askFastchat(probe, 'What is the engine power?'))).toContain('132 kW');
}

/** The store has said that the token is not the one. */
async function expectUnauthorized(token: string): Promise<void> {
  const probe = await dial(token);
  expect(await probe.closing()).toEqual({ code: 1008, reason: 'Unauthorized ACCESS-TOKEN' });
  expect(probe.frames).toEqual([{ status: 'error', detail: 'Disconnected: Unauthorized ACCESS-TOKEN' }]);
}

/** Nobody could say: not let in, with a reason, and an invitation to come back. */
async function expectUnavailable(token: string): Promise<void> {
  const probe = await dial(token);
  expect(await probe.closing()).toEqual({ code: 1013, reason: 'Service unavailable' });
  expect(probe.frames[0]).toMatchObject({
    status: 'error',
    detail: 'Service unavailable',
    code: 'UNAVAILABLE',
  });
  expect(JSON.stringify(probe.frames)).not.toContain('success');
}

describe('secrets that nobody has set', () => {
  it('[fastchat/master-token-generated] are generated into the data folder for its owner alone, and stay the same over a restart', async () => {
    for (const name of ['master-token', 'cryptography-key']) {
      const file = join(stack.dataDir, 'auth', name);
      expect(Buffer.from(readFileSync(file, 'utf8').trim(), 'base64url')).toHaveLength(32);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    const { access_token } = await newTokens('steady');
    await stack.auth.restart();
    const admin = await openFastchat(stack.url(), {
      route: 'admin',
      headers: { 'MASTER-TOKEN': master['master-token'] ?? '' },
    });
    open.push(admin);
    expect(textOf(await askFastchat(admin, 'What is the engine power?'))).toContain('132 kW');
    await expectIn(access_token);
    const logged = stack.lastWords();
    expect(stack.auth.lines.join('\n')).toContain(join(stack.dataDir, 'auth/master-token'));
    for (const secret of [master['master-token'] ?? '', access_token]) expect(logged).not.toContain(secret);
  });
});

describe('a token store', () => {
  it('[fastchat/config-file] [fastchat/config-shape] [fastchat/auth-middleware] [fastchat/database-api-path] [fastchat/middleware-headers] [fastchat/store-get] is asked at the address of the seed’s example, with its headers', async () => {
    const { access_token } = await newTokens('asked');
    store.requests.length = 0;
    await expectIn(access_token);
    expect(store.requests).toHaveLength(1);
    expect(store.requests[0]).toMatchObject({
      method: 'GET',
      url: '/mydb/data/token?client_id=asked',
      headers: { header_key: 'header_value', other_header: 'header_value', '...': '...' },
    });
  });

  it('[fastchat/store-post] is given new tokens before their client has them', async () => {
    store.requests.length = 0;
    const pair = await newTokens('posted');
    const { body } = await askTokens(stack.httpUrl(), `refresh?refresh_token=${pair.refresh_token}`);
    const posts = [pair, body.data].map(({ access_token, refresh_token }) => ({
      client_id: 'posted',
      access_token,
      refresh_token,
    }));
    expect(store.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /mydb/data/token?client_id=posted',
      'POST /mydb/data/token?client_id=posted',
    ]);
    expect(store.requests.map(({ body }) => JSON.parse(body))).toEqual(posts);
    expect(store.requests[0]?.headers).toMatchObject({ header_key: 'header_value' });
  });

  it('[fastchat/store-asked] decides which token of a client is good: another one, or none, is refused though its signature is right', async () => {
    const first = await newTokens('decided');
    const second = await newTokens('decided');
    await expectUnauthorized(first.access_token);
    await expectIn(second.access_token);
    // The store takes it back: good for the seconds it is remembered, then no more.
    store.tokens.delete('decided');
    await expect
      .poll(
        async () => {
          const probe = await dial(second.access_token);
          return (await probe.next()).status;
        },
        { timeout: 4 * REMEMBERED_MS, interval: 500 },
      )
      .toBe('error');
    await expectUnauthorized(second.access_token);
    store.tokens.set('decided', first);
    await expectIn(first.access_token);
    // Access tokens of people are asked about as well.
    const person = await stack.token({ sub: 'person' });
    await expectUnauthorized(person);
    store.tokens.set('person', { access_token: person, refresh_token: '' });
    await expectIn(person);
  });

  it('is not asked about the master token, which stands for no client', async () => {
    store.requests.length = 0;
    const admin = await openFastchat(stack.url(), {
      route: 'admin',
      headers: { 'MASTER-TOKEN': master['master-token'] ?? '' },
    });
    open.push(admin);
    expect(store.requests).toEqual([]);
  });

  it('is asked about nobody whose signature is wrong', async () => {
    const { access_token } = await newTokens('forged');
    store.requests.length = 0;
    await expectUnauthorized(`${access_token.slice(0, -4)}AAAA`);
    expect(store.requests).toEqual([]);
  });
});

describe('a token store that fails', () => {
  /** With tokens that the store knows, and nobody has asked about yet. */
  async function failing(name: string, how: RequestListener): Promise<string> {
    const { access_token } = await newTokens(name);
    store.answerWith(how);
    return access_token;
  }
  afterEach(() => store.answerWith(null));

  it('[fastchat/store-down] lets nobody in while it is down, gives no tokens out, and is all right once it is back', async () => {
    const { access_token, refresh_token } = await newTokens('down');
    await store.down();
    try {
      await expectUnavailable(access_token);
      for (const [path, headers] of [
        ['new?client_id=down', master],
        [`refresh?refresh_token=${refresh_token}`, {}],
      ] as const)
        expect(await askTokens(stack.httpUrl(), path, headers)).toEqual({
          status: 502,
          body: { status: 'error', message: 'The token store does not answer', code: 502 },
        });
    } finally {
      await store.up();
    }
    await expectIn(access_token);
  });

  it('[fastchat/store-slow] lets nobody in when it doesn’t answer in time', async () => {
    const token = await failing('slow', () => undefined);
    await expectUnavailable(token);
    store.answerWith(null);
    await expectIn(token);
  });

  const reply =
    (status: number, body: string, headers: Record<string, string> = {}): RequestListener =>
    (_request, response) =>
      void response.writeHead(status, headers).end(body);
  /** Whatever it says, this is what it would have to say. */
  const good = (token: string) => JSON.stringify({ data: { access_token: token } });

  it.each<[string, (token: string) => RequestListener]>([
    ['sends us elsewhere', (token) => reply(302, good(token), { location: '/mydb/data/other' })],
    ['sends too much', (token) => reply(200, `${good(token)}${' '.repeat(100_000)}`)],
    ['sends no JSON', (token) => reply(200, token)],
    ['sends JSON of another shape', (token) => reply(200, JSON.stringify({ access_token: token }))],
    ['sends a list', (token) => reply(200, `[${good(token)}]`)],
    ['fails', (token) => reply(500, good(token))],
    ['refuses our headers', (token) => reply(401, good(token))],
    ['breaks off', () => (request) => void request.socket.destroy()],
  ])('[fastchat/store-wrong] lets nobody in when it %s', async (what, how) => {
    const { access_token } = await newTokens(`wrong-${what.length}`);
    store.answerWith(how(access_token));
    await expectUnavailable(access_token);
    const line = await stack.auth.line(/token store could not be asked/);
    expect(line).not.toContain(access_token);
  });

  it('[fastchat/store-wrong] refuses for good what it answers with the token of another', async () => {
    const other = await newTokens('other');
    const token = await failing('wrong token', reply(200, good(other.access_token)));
    await expectUnauthorized(token);
  });
});
