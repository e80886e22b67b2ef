/** Each kind of token at each door: it opens those that it was made for, and nothing shows behind others. */
import { type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOORS, type TokenKind } from '../src/doors.ts';
import { askTokens, signClientToken } from '../src/fastchat-chat.ts';
import { inPool } from '../src/in-pool.ts';
import { Intruder } from '../src/intruder.ts';
import { reportFailures } from '../src/report-failures.ts';
import { roomsCurl } from '../src/rooms-curl.ts';
import { CANARY, usualPlaces, Victim } from '../src/victim.ts';

const SECRET = 'a secret that a backend shares with us, long enough';
const KEY = 'a key of the operator, 32 bytes or more';
const MASTER = 'the master token of the operator';
const ATTEMPTS_AT_ONCE = 6;
const BOB = 'bob-the-victim';
/** Whoever comes through this door talks in the victim's session of the same name. */
const OPEN_SESSION = 'door';

const KINDS: readonly TokenKind[] = [
  'access',
  'websocket',
  'client',
  'refresh',
  'master',
  'expired access',
  'expired client',
  'access that says natter:master',
  'client that says natter:master',
  'session of nobody',
  'another key’s',
];

let stack: Stack;
let bob: Victim;
let tokens: Record<TokenKind, string>;
const intruder = new Intruder();
beforeAll(async () => {
  stack = await startStack({
    demo: { tokensPerSecond: 300, firstTokenMs: 0 },
    env: {
      NATTER_JWT_SECRET: SECRET,
      CRYPTOGRAPHY_KEY: KEY,
      MASTER_TOKEN: MASTER,
      NATTER_JWT_CLOCK_TOLERANCE_S: '0',
      WS_RATE_LIMIT_REQUESTS: '100000',
      NATTER_SESSION_RATE_LIMIT: '100000',
    },
  });
  const [place] = usualPlaces('bobs').filter(({ kind }) => kind === 'session');
  bob = await Victim.settle(stack, BOB, [
    ...usualPlaces('bobs'),
    ...(place === undefined ? [] : [{ ...place, id: OPEN_SESSION }]),
  ]);
  tokens = await make();
});
afterAll(async () => {
  await bob?.leave();
  await stack?.stop();
});
reportFailures(() => stack);

/** All of them are Mallory's where they are anybody's; the forged ones claim what none may. */
async function make(): Promise<Record<TokenKind, string>> {
  const now = Math.floor(Date.now() / 1_000);
  const soon = { exp: now + 600, iat: now };
  const access = await stack.token({ sub: 'mallory' });
  const websocket = (await roomsCurl(stack.httpUrl(), access)('POST', '/token')).body.token;
  const { body } = await askTokens(stack.httpUrl(), 'new?client_id=mallory', { 'master-token': MASTER });
  return {
    access,
    websocket,
    client: body.data.access_token,
    refresh: body.data.refresh_token,
    master: MASTER,
    'expired access': await stack.token({ sub: BOB, ttlS: -60 }),
    'expired client': signClientToken(KEY, { client_id: BOB, type: 'access', exp: now - 60 }),
    'access that says natter:master': signClientToken(SECRET, {
      sub: 'natter:master',
      type: 'access',
      roles: ['admin'],
      ...soon,
    }),
    'client that says natter:master': signClientToken(KEY, {
      client_id: 'natter:master',
      type: 'access',
      ...soon,
    }),
    'session of nobody': signClientToken(SECRET, { sub: 'natter:session:0', type: 'access', ...soon }),
    'another key’s': signClientToken(`${SECRET}!`, { sub: BOB, type: 'access', ...soon }),
  };
}

describe('a token', () => {
  it('of a backend that shares our secret is good, so that what is forged below is refused for what it says', async () => {
    const exp = Math.floor(Date.now() / 1_000) + 600;
    const token = signClientToken(SECRET, { sub: 'mallory', type: 'access', exp });
    const { status } = await roomsCurl(stack.httpUrl(), token)('POST', '/token');
    expect(status).toBe(200);
  });

  it.each(KINDS)(
    '[access/sessions] [access/conversations] [access/rooms] [access/connections] of the kind %s opens what it is made for and nothing else',
    async (kind) => {
      const opened: string[] = [];
      await inPool(DOORS, ATTEMPTS_AT_ONCE, async (door) => {
        if (await door.try(tokens[kind], intruder, { url: stack.url(), httpUrl: stack.httpUrl() }))
          opened.push(door.name);
      });
      const expected = DOORS.filter(({ opens }) => opens.includes(kind)).map(({ name }) => name);
      expect(opened.sort()).toEqual(expected.sort());
      expect(intruder.received.filter((text) => text.includes(CANARY))).toEqual([]);
    },
  );

  it('for a reserved user is made for nobody', async () => {
    const master = { 'master-token': MASTER };
    for (const id of ['natter:master', 'natter:session:0', 'natter:'])
      expect(
        await askTokens(stack.httpUrl(), `new?client_id=${encodeURIComponent(id)}`, master),
      ).toMatchObject({ status: 400, body: { status: 'error' } });
  });
});
