/** fastchat-v1 frame by frame, as seeds/000 shows it, against the real stack. */
import { connect, needs, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_MS } from '../src/chat.ts';
import {
  ACCEPTED,
  askFastchat,
  askTokens,
  claimsOf,
  dialFastchat,
  EOF,
  isSignedBy,
  openFastchat,
  signClientToken,
  steps,
  textOf,
} from '../src/fastchat-chat.ts';
import { readMetric } from '../src/metrics.ts';
import { askedFor, type RecordingProxy, shownBefore, startRecordingProxy } from '../src/recording-proxy.ts';
import { reportFailures } from '../src/report-failures.ts';
import { runPython } from '../src/seed-clients.ts';
import { codeBelow, seedDocument } from '../src/seed-document.ts';

const QUESTION = 'What is the engine power?';
const DAY_S = 86_400;
/** The examples of the seed, as they are written there. */
const SEED = seedDocument('000');
const example = (pattern: RegExp) => pattern.exec(SEED)?.[1] ?? '';
const EXAMPLE_MASTER = example(/`MASTER-TOKEN: (oBd[^`]+)`/);
const EXAMPLE_USER_URI = example(/`(ws:\/\/localhost:8000\/chat\/user[^`]+)`/);
const EXAMPLE_ADMIN_URI = example(/`(ws:\/\/localhost:8000\/chat\/admin[^`]+)`/);
const EXAMPLE_SERVERS = example(/`aditional_servers: ('\{[^`]+)`/);
const KEY = 'a key of the operator, 32 bytes or more';

let stack: Stack;
let proxy: RecordingProxy;
/** An access token of the client `shop`, made by the token route. */
let shop: string;
let refreshToken: string;
beforeAll(async () => {
  proxy = await startRecordingProxy();
  stack = await startStack({
    gateways: 2,
    demo: { tokensPerSecond: 0, firstTokenMs: 0 },
    env: {
      OPENAI_BASE_URL: proxy.url,
      MASTER_TOKEN: EXAMPLE_MASTER,
      CRYPTOGRAPHY_KEY: KEY,
      NATTER_ALLOWED_MODELS: 'my-model',
      NATTER_JWT_CLOCK_TOLERANCE_S: '0',
    },
  });
  proxy.target = stack.demo.ports.http ?? 0;
  const { body } = await askTokens(stack.httpUrl(), 'new?client_id=shop', {
    'master-token': EXAMPLE_MASTER,
  });
  shop = body.data.access_token;
  refreshToken = body.data.refresh_token;
});
afterAll(async () => {
  await stack?.stop();
  await proxy?.close();
});
reportFailures(() => stack);

const open: Probe[] = [];
afterEach(() => Promise.all(open.splice(0).map((probe) => probe.close())));

async function enter(query: Record<string, string> = {}, headers: Record<string, string> = {}, gateway = 0) {
  const probe = await openFastchat(stack.url(gateway), {
    query,
    headers: { 'ACCESS-TOKEN': shop, ...headers },
  });
  open.push(probe);
  return probe;
}

async function expectRefused(probe: Probe, detail: string, reason: string): Promise<void> {
  expect(await probe.closing()).toEqual({ code: 1008, reason });
  expect(probe.frames).toEqual([{ status: 'error', detail }]);
}

describe('a connection', () => {
  it('[fastchat/two-routes] [fastchat/user-route] [fastchat/header-access-token] [fastchat/accepted] [fastchat/accepted-text] with an access token in its header is confirmed on /chat/user without a word', async () => {
    for (const token of [shop, await stack.token({ sub: 'alice' })]) {
      const probe = await dialFastchat(stack.url(), { headers: { 'ACCESS-TOKEN': token } });
      open.push(probe);
      expect(await probe.next()).toEqual(ACCEPTED);
      expect(probe.frames).toHaveLength(1);
      expect(textOf(await askFastchat(probe, QUESTION))).toContain('132 kW');
    }
    const asAdmin = await dialFastchat(stack.url(), { route: 'admin', headers: { 'ACCESS-TOKEN': shop } });
    await expectRefused(asAdmin, 'Disconnected: Unauthorized Master Token', 'Unauthorized Master Token');
    const rooms = await connect(`${stack.url()}/api/v1/ws/ws`, { headers: { 'ACCESS-TOKEN': shop } });
    expect(await rooms.closing()).toMatchObject({ code: 4001 });
    const chat = await connect(`${stack.url()}/ws/chat`, { headers: { 'ACCESS-TOKEN': shop } });
    open.push(chat);
    chat.send({ type: 'message', message: QUESTION });
    expect(await chat.next()).toMatchObject({ type: 'error', code: 'AUTH_REQUIRED' });
  });

  it('[fastchat/admin-route] [fastchat/header-master-token] [fastchat/env-master-token] with the master token in its header is confirmed on /chat/admin', async () => {
    const headers = { 'MASTER-TOKEN': EXAMPLE_MASTER };
    const probe = await openFastchat(stack.url(), { route: 'admin', headers });
    open.push(probe);
    expect(textOf(await askFastchat(probe, QUESTION))).toContain('132 kW');
    const detail = 'Disconnected: Unauthorized ACCESS-TOKEN';
    for (const wrong of [headers, { 'ACCESS-TOKEN': EXAMPLE_MASTER }])
      await expectRefused(
        await dialFastchat(stack.url(), { headers: wrong }),
        detail,
        'Unauthorized ACCESS-TOKEN',
      );
  });

  it('[fastchat/refused-user] [fastchat/refused-admin] without a good token gets one frame, and is closed with 1008', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const bad = {
      none: undefined,
      empty: '',
      nonsense: 'eyJ...',
      refresh: refreshToken,
      expired: signClientToken(KEY, { client_id: 'shop', type: 'access', exp: now - 5 }),
      'of another key': signClientToken(`${KEY}!`, { client_id: 'shop', type: 'access', exp: now + 60 }),
      'an expired access token': await stack.token({ sub: 'alice', ttlS: -60 }),
    };
    for (const [what, token] of Object.entries(bad)) {
      for (const [route, header, reason] of [
        ['user', 'ACCESS-TOKEN', 'Unauthorized ACCESS-TOKEN'],
        ['admin', 'MASTER-TOKEN', 'Unauthorized Master Token'],
      ] as const) {
        const headers: Record<string, string> = token === undefined ? {} : { [header]: token };
        const probe = await dialFastchat(stack.url(), { route, headers });
        expect([what, await probe.closing()]).toEqual([what, { code: 1008, reason }]);
        expect(probe.frames).toEqual([{ status: 'error', detail: `Disconnected: ${reason}` }]);
      }
    }
  });

  it('[fastchat/token-each-connection] is judged anew each time: a token that was good is refused once it has expired', async () => {
    const exp = Math.floor(Date.now() / 1_000) + 4;
    const token = signClientToken(KEY, { client_id: 'brief', type: 'access', exp });
    const probe = await openFastchat(stack.url(), { headers: { 'ACCESS-TOKEN': token } });
    expect(await probe.closing(20_000)).toEqual({ code: 4001, reason: 'Token expired' });
    await expectRefused(
      await dialFastchat(stack.url(), { headers: { 'ACCESS-TOKEN': token } }),
      'Disconnected: Unauthorized ACCESS-TOKEN',
      'Unauthorized ACCESS-TOKEN',
    );
  });

  it('[fastchat/address] to another word than user or admin finds no route', async () => {
    for (const path of ['/chat', '/chat/', '/chat/root', '/chat/user/', '/chat/USER', '/chat/user/admin'])
      await expect(
        connect(`${stack.url()}${path}`, { headers: { 'ACCESS-TOKEN': shop } }),
      ).rejects.toMatchObject({ code: 'UPGRADE_REFUSED', status: 404 });
  });

  it('[fastchat/example-addresses] [fastchat/example-tokens] [fastchat/example-servers] [fastchat/header-servers] works as the examples of the seed are written', async () => {
    expect(shop).toMatch(/^eyJ/);
    const here = (uri: string) => uri.replace('ws://localhost:8000', stack.url());
    const asUser = await connect(here(EXAMPLE_USER_URI), {
      headers: { 'ACCESS-TOKEN': shop, aditional_servers: EXAMPLE_SERVERS },
    });
    const asAdmin = await connect(here(EXAMPLE_ADMIN_URI), { headers: { 'MASTER-TOKEN': EXAMPLE_MASTER } });
    open.push(asUser, asAdmin);
    for (const probe of [asUser, asAdmin]) expect(await probe.next()).toEqual(ACCEPTED);
    const answer = await askFastchat(asUser, QUESTION);
    expect(textOf(answer)).toContain('132 kW');
    expect(askedFor(proxy, QUESTION).model).toBe('my-model');
    // The server can be used, so there is nothing to say about it.
    expect(steps(answer, 'Note')).toEqual([]);
    // Two users, so two conversations of one name.
    const other = 'How big is the boot?';
    expect(textOf(await askFastchat(asAdmin, other))).toContain('boot');
    expect(shownBefore(proxy, other)).toEqual([]);
  });
});

describe('an answer', () => {
  it('[fastchat/text-and-steps] [fastchat/steps] [fastchat/step-order] [fastchat/data-frames] [fastchat/query-frame] [fastchat/field-type] [fastchat/eof] [fastchat/eof-text] is steps in their order, the query, pieces of text, and --eof', async () => {
    await stack.demo.behave({ tokensPerSecond: 100 });
    const frames = await askFastchat(await enter(), QUESTION);
    await stack.demo.behave({ tokensPerSecond: 0 });
    const step = (name: string) => ({ type: 'step', step: name, message: expect.any(String), data: null });
    expect(frames.slice(0, 7)).toEqual([
      step('Task query decomposer'),
      { type: 'data', data: { querys: [QUESTION] } },
      step('Select prompts'),
      { type: 'data', data: { prompts: ['specs'] } },
      step('Select service'),
      { type: 'data', data: { service: null, args: null } },
      { type: 'query', query: QUESTION },
    ]);
    const pieces = frames.slice(7);
    expect(pieces.length).toBeGreaterThan(3);
    expect(new Set(pieces.map(({ type }) => type))).toEqual(new Set(['response']));
  });

  it('[fastchat/field-content] [fastchat/field-first-chunk] [fastchat/field-meta] [fastchat/response-and-content] [fastchat/usage-last] is told twice in each piece, the first marked, the last with the usage', async () => {
    await stack.demo.behave({ tokensPerSecond: 100 });
    const frames = await askFastchat(await enter(), QUESTION);
    await stack.demo.behave({ tokensPerSecond: 0 });
    const pieces = frames.filter(({ type }) => type === 'response');
    for (const { response, content, data, meta } of pieces) {
      expect(content).toBe(response);
      expect(data).toBeNull();
      expect(new Date(meta.timestamp).toISOString()).toBe(meta.timestamp);
    }
    expect(pieces.map((piece) => piece.content).join('')).toContain('132 kW');
    expect(pieces.map(({ first_chunk }) => first_chunk)).toEqual(pieces.map((_, index) => index === 0));
    expect(pieces.slice(0, -1).filter(({ meta }) => 'token_usage' in meta)).toEqual([]);
    expect(pieces.at(-1).meta).toMatchObject({
      last_chunk: true,
      token_usage: { input_tokens: expect.any(Number), output_tokens: expect.any(Number) },
    });
    expect(pieces.at(-1).meta.token_usage.output_tokens).toBeGreaterThan(0);
  });

  it('[fastchat/server-flow] [fastchat/nothing-after-eof] comes for each text, any number of times, and nothing of it behind its --eof', async () => {
    const probe = await enter();
    const questions = [QUESTION, 'How big is the boot?', QUESTION];
    for (const question of questions) {
      const frames = await askFastchat(probe, question);
      expect(frames[0]).toMatchObject({ step: 'Task query decomposer' });
      expect(frames.find(({ type }) => type === 'query')).toEqual({ type: 'query', query: question });
      expect(frames.at(-1).meta.last_chunk).toBe(true);
    }
    // Whatever was sent before the pong has arrived.
    await new Promise((resolve) => probe.socket.once('pong', resolve).ping());
    expect(probe.frames.at(-1)).toBe(EOF);
    expect(probe.frames.filter((frame) => frame === EOF)).toHaveLength(questions.length);
  });

  it('[fastchat/query-text] answers the text as it stands, whatever it looks like', async () => {
    const probe = await enter();
    for (const text of [
      '{"type":"message","message":"Hi"}',
      '--eof',
      '  two\nlines \u{1f527} ',
      '[]',
      '"x"',
    ]) {
      const frames = await askFastchat(probe, text);
      expect(frames.find(({ type }) => type === 'query')?.query).toBe(text);
      expect(askedFor(proxy, text).messages.at(-1)).toMatchObject({ role: 'user', content: text });
    }
  });

  it('[fastchat/client-closes] leaves nothing behind when its client closes in the middle; the conversation goes on', async () => {
    const [gateway] = stack.gateways;
    if (gateway === undefined) throw new Error('no gateway');
    await stack.demo.behave({ tokensPerSecond: 20 });
    const probe = await enter({ chat_id: 'left' });
    probe.send(QUESTION);
    await probe.nextOfType('response', ANSWER_MS);
    await probe.close();
    await stack.demo.behave({ tokensPerSecond: 0 });
    for (const name of ['natter_gateway_connections', 'natter_gateway_runs'])
      await expect.poll(() => readMetric(gateway, name), { timeout: 20_000 }).toBe(0);
    const later = 'And what came before?';
    await askFastchat(await enter({ chat_id: 'left' }), later);
    expect(shownBefore(proxy, later)).toEqual([QUESTION, expect.stringContaining('132 kW')]);
  });
});

describe('the token routes', () => {
  const master = { 'master-token': EXAMPLE_MASTER };

  it('[fastchat/token-new] [fastchat/token-answers] [fastchat/token-claims] [fastchat/env-cryptography-key] make a pair for the master token, signed with CRYPTOGRAPHY_KEY', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const { status, body } = await askTokens(stack.httpUrl(), 'new?client_id=kiosk', master);
    expect(status).toBe(200);
    expect(body).toEqual({
      status: 'success',
      message: expect.any(String),
      code: 200,
      data: { client_id: 'kiosk', access_token: expect.any(String), refresh_token: expect.any(String) },
    });
    for (const [token, type, days] of [
      [body.data.access_token, 'access', 30],
      [body.data.refresh_token, 'refresh', 365],
    ] as const) {
      const { header, claims } = claimsOf(token);
      expect(header).toEqual({ alg: 'HS256', typ: 'JWT' });
      expect(claims).toMatchObject({ client_id: 'kiosk', type });
      expect(Math.abs(claims.exp - now - days * DAY_S)).toBeLessThan(60);
      expect(isSignedBy(KEY, token)).toBe(true);
    }
    const probe = await enter({}, { 'ACCESS-TOKEN': body.data.access_token });
    expect(textOf(await askFastchat(probe, QUESTION))).toContain('132 kW');
    const wrong: Record<string, string>[] = [
      {},
      { 'master-token': shop },
      { 'master-token': `${EXAMPLE_MASTER}.` },
    ];
    for (const headers of [...wrong, { authorization: `Bearer ${EXAMPLE_MASTER}` }])
      expect(await askTokens(stack.httpUrl(), 'new?client_id=kiosk', headers)).toEqual({
        status: 401,
        body: { status: 'error', message: expect.any(String), code: 401 },
      });
  });

  it('[fastchat/token-refresh] make a new pair from a refresh token, and from nothing else', async () => {
    const path = (token: string) => `refresh?refresh_token=${encodeURIComponent(token)}`;
    const { status, body } = await askTokens(stack.httpUrl(), path(refreshToken));
    expect(status).toBe(200);
    expect(body.data.client_id).toBe('shop');
    expect(claimsOf(body.data.access_token).claims).toMatchObject({ client_id: 'shop', type: 'access' });
    await enter({}, { 'ACCESS-TOKEN': body.data.access_token });
    for (const token of [shop, EXAMPLE_MASTER, await stack.token({ sub: 'shop' }), 'eyJ...'])
      expect((await askTokens(stack.httpUrl(), path(token), master)).status).toBe(401);
    expect((await askTokens(stack.httpUrl(), 'refresh')).status).toBe(400);
  });
});

/** The client of the seed is pseudocode; each of its lines stands here as Python says it. */
const PYTHON: [pseudocode: string, python: string][] = [
  [
    'open websocket to ws://host:port/chat/user with headers and query',
    '    socket = await websockets.connect(URI, extra_headers={"ACCESS-TOKEN": TOKEN})',
  ],
  [
    'await initial_accept_message()',
    '    accepted = json.loads(await socket.recv())\n    print("accepted", accepted["status"])',
  ],
  ['send_text("My question here")', '    await socket.send("My question here")'],
  ['for message in socket:', '    async for message in socket:'],
  ['if message == STREAM_END_MARKER: break', '        if message == "--eof": break'],
  ['handle_json_step(message)', '        print("step", json.loads(message)["type"])'],
  ['close socket', '    await socket.close()\n    print("closed", socket.close_code)'],
];

describe('the Python client', () => {
  it('[fastchat/client-flow] of the seed’s pseudocode is answered step by step', async ({ skip }) => {
    const why = needs('python-websockets');
    skip(why !== null, why ?? '');
    const pseudocode = codeBelow('Client', '000')
      .trim()
      .split('\n')
      .map((line) => line.trim());
    expect(PYTHON.map(([line]) => line)).toEqual(pseudocode);
    const program = [
      'import asyncio, json, websockets',
      `URI, TOKEN = ${JSON.stringify(`${stack.url()}/chat/user?chat_id=python`)}, ${JSON.stringify(shop)}`,
      'async def main():',
      ...PYTHON.map(([, line]) => line),
      'asyncio.run(main())',
    ].join('\n');
    const client = runPython(program);
    expect(await client.ended, client.printed()).toBe(0);
    const printed = client.printed().trim().split('\n');
    expect(printed[0]).toBe('accepted success');
    expect(printed.at(-1)).toBe('closed 1000');
    const types = printed.slice(1, -1).map((line) => line.replace('step ', ''));
    expect(types.slice(0, 7)).toEqual(['step', 'data', 'step', 'data', 'step', 'data', 'query']);
    expect(new Set(types.slice(7))).toEqual(new Set(['response']));
  });
});
