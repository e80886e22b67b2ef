import { LIMITS } from '@natter/proto';
import { describe, expect, it } from 'vitest';
import { forge, hs256, SECRET } from '../forge.ts';
import { CLIENT_KEY, LOGS_KEY, MASTER, wireTokens } from '../wire-tokens.ts';

const HEADER = { alg: 'HS256', typ: 'JWT' };

describe('a token is good for what it was made for', () => {
  it('an access token for every use of a person', async () => {
    const { own, judge } = await wireTokens();
    const token = await own('alice');
    for (const use of ['access', 'websocket', 'client', 'api_key'] as const)
      expect(await judge(token, use)).toBe('alice');
    expect(await judge(token, 'master')).toBe('invalid');
  });

  it('a token for rooms-v1 for nothing else, in whatever order it is shown', async () => {
    const { own, judge } = await wireTokens();
    const token = await own('alice', 'websocket');
    for (let times = 0; times < 2; times += 1) {
      expect(await judge(token, 'websocket')).toBe('alice');
      for (const use of ['access', 'client', 'master', 'api_key'] as const)
        expect(await judge(token, use)).toBe('invalid');
    }
  });

  it('a token for rooms-v1 as the original signs it, where its secret is shared', async () => {
    const { judge, time } = await wireTokens();
    const claims = { sub: 'bob', type: 'websocket', exp: time.now() / 1000 + 60, iat: time.now() / 1000 };
    const token = forge(HEADER, claims, hs256(SECRET));
    expect(await judge(token, 'websocket')).toBe('bob');
    expect(await judge(token, 'access')).toBe('invalid');
  });

  it('a token of fastchat-v1 for nothing else', async () => {
    const { judge, time } = await wireTokens();
    const claims = { client_id: 'shop', type: 'access', exp: time.now() / 1000 + 60 };
    const token = forge(HEADER, claims, hs256(CLIENT_KEY));
    expect(await judge(token, 'client')).toBe('shop');
    for (const use of ['access', 'websocket', 'master', 'api_key'] as const)
      expect(await judge(token, use)).toBe('invalid');
  });

  it('[apikeys/scopes] an API key for nothing else, whatever its scopes', async () => {
    const { apiKeys, judge } = await wireTokens();
    const { id, key } = apiKeys.make(['logs:read', 'logs:write', 'admin']);
    for (const [token, sub] of [
      [key, `natter:key:${id}`],
      [LOGS_KEY, 'natter:key:environment'],
    ] as const) {
      expect(await judge(token, 'api_key')).toBe(sub);
      for (const use of ['access', 'websocket', 'client', 'master'] as const)
        expect(await judge(token, use)).toBe('invalid');
    }
  });

  it('the master token for nothing else', async () => {
    const { uses, judge, time } = await wireTokens();
    expect(await uses.verify(MASTER, 'master')).toEqual({
      ok: true,
      principal: {
        sub: 'natter:master',
        email: null,
        name: null,
        roles: ['admin'],
        scopes: [],
        expiresAt: Math.floor(time.now() / 1000) + 30 * 86_400,
      },
    });
    for (const use of ['access', 'websocket', 'client', 'api_key'] as const)
      expect(await judge(MASTER, use)).toBe('invalid');
  });
});

it.each([
  ['another', `${MASTER.slice(0, -1)}X`],
  ['a part of it', MASTER.slice(0, -1)],
  ['it and more', `${MASTER} `],
  ['nothing', ''],
  ['one that is too long', 'x'.repeat(LIMITS.tokenBytes + 1)],
])('no other master token is good: %s', async (_what, token) => {
  const { judge } = await wireTokens();
  expect(await judge(token, 'master')).toBe('invalid');
});

describe('a token of fastchat-v1 is refused', () => {
  const sign = async (header: object, claims: object, secret = CLIENT_KEY) => {
    const { judge, time } = await wireTokens();
    const good = { client_id: 'shop', type: 'access', exp: time.now() / 1000 + 60 };
    return judge(forge({ ...HEADER, ...header }, { ...good, ...claims }, hs256(secret)), 'client');
  };

  it.each([
    ['the type refresh', {}, { type: 'refresh' }],
    ['no type', {}, { type: undefined }],
    ['no expiry', {}, { exp: undefined }],
    ['no client id', {}, { client_id: undefined }],
    ['an empty client id', {}, { client_id: '' }],
    ['a client id of 129 bytes', {}, { client_id: `${'ü'.repeat(64)}a` }],
    ['a client id that is a number', {}, { client_id: 7 }],
    ['the client id of the master token', {}, { client_id: 'natter:master' }],
    ['a subject beside it, which is for another key', {}, { sub: 'alice' }],
    ['the algorithm none', { alg: 'none' }, {}],
    ['another algorithm', { alg: 'HS512' }, {}],
  ])('with %s', async (_what, header, claims) => {
    expect(await sign(header, claims)).toBe('invalid');
  });

  it('when another key signed it, the shared secret too', async () => {
    expect(await sign({}, {}, `${CLIENT_KEY}!`)).toBe('invalid');
    expect(await sign({}, {}, SECRET)).toBe('invalid');
  });

  it('as expired after its time', async () => {
    expect(await sign({}, { exp: 1 })).toBe('expired');
  });
});

it.each([
  ['our own key', 'access'],
  ['our own key for rooms-v1', 'websocket'],
] as const)('no token of %s is made for a reserved subject', async (_what, type) => {
  const { own } = await wireTokens();
  await expect(own('natter:master', type)).rejects.toMatchObject({ code: 'UNFIT_TOKEN' });
});

it.each(['natter:master', 'natter:key:environment'])(
  'a token of a backend cannot claim a reserved subject: %s',
  async (sub) => {
    const { judge, time } = await wireTokens();
    const token = forge(HEADER, { sub, exp: time.now() / 1000 + 60 }, hs256(SECRET));
    for (const use of ['access', 'websocket', 'client', 'api_key'] as const)
      expect(await judge(token, use)).toBe('invalid');
  },
);
