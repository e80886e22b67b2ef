import { IssueReply } from '@natter/proto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { forge, hs256 } from '../forge.ts';
import { CLIENT_KEY, MASTER, type WireTokens, wireTokens } from '../wire-tokens.ts';

const issue = async ({ issuer }: WireTokens, request: Parameters<WireTokens['issuer']['issue']>[0]) => {
  const reply = IssueReply.parse(await issuer.issue(request));
  if (!reply.ok) throw new Error(reply.reason);
  return reply;
};

describe('a token for rooms-v1', () => {
  it('is good for a day and carries who showed the access token, with their roles', async () => {
    const tokens = await wireTokens();
    const accessToken = await tokens.own('alice', 'access', ['admin']);
    const { token, sub, expiresInS } = await issue(tokens, { kind: 'websocket', accessToken });
    expect({ sub, expiresInS }).toEqual({ sub: 'alice', expiresInS: 86_400 });
    const iat = Math.floor(tokens.time.now() / 1000);
    expect(decodeJwt(token)).toMatchObject({ sub: 'alice', type: 'websocket', iat, exp: iat + 86_400 });
    expect(await tokens.uses.verify(token, 'websocket')).toMatchObject({
      ok: true,
      principal: { sub: 'alice', email: 'a@example.com', name: 'A', roles: ['admin'] },
    });
  });

  it('is not prolonged by itself, nor given for a token of fastchat-v1', async () => {
    const tokens = await wireTokens();
    const { token: client } = await issue(tokens, { kind: 'client', masterToken: MASTER, clientId: 'shop' });
    for (const accessToken of [await tokens.own('alice', 'websocket'), client, MASTER, ''])
      expect(await tokens.issuer.issue({ kind: 'websocket', accessToken })).toEqual({
        ok: false,
        reason: 'invalid',
      });
  });

  it('is not given for an expired access token', async () => {
    const tokens = await wireTokens();
    const accessToken = await tokens.own('alice');
    tokens.time.advance(120_000);
    expect(await tokens.issuer.issue({ kind: 'websocket', accessToken })).toEqual({
      ok: false,
      reason: 'expired',
    });
  });
});

describe('a token of fastchat-v1', () => {
  it('is good for 30 days, its refresh token for 365, with the claims of the original', async () => {
    const tokens = await wireTokens();
    const made = await issue(tokens, { kind: 'client', masterToken: MASTER, clientId: 'shop' });
    expect(made).toMatchObject({ sub: 'shop', expiresInS: 30 * 86_400 });
    const nowS = Math.floor(tokens.time.now() / 1000);
    expect(decodeProtectedHeader(made.token)).toEqual({ alg: 'HS256', typ: 'JWT' });
    expect(decodeJwt(made.token)).toMatchObject({
      client_id: 'shop',
      type: 'access',
      exp: nowS + 30 * 86_400,
    });
    expect(decodeJwt(made.refreshToken ?? '')).toMatchObject({
      client_id: 'shop',
      type: 'refresh',
      exp: nowS + 365 * 86_400,
    });
    expect(await tokens.judge(made.token, 'client')).toBe('shop');
    expect(await tokens.judge(made.refreshToken ?? '', 'client')).toBe('invalid');
  });

  it('gets a client id of its own when none is named', async () => {
    const tokens = await wireTokens();
    const ask = () => issue(tokens, { kind: 'client', masterToken: MASTER, clientId: null });
    const [one, other] = [await ask(), await ask()];
    expect(one.sub).toMatch(/^[0-9a-f-]{36}$/);
    expect(other.sub).not.toBe(one.sub);
  });

  it('is not made without the master token', async () => {
    const tokens = await wireTokens();
    for (const masterToken of ['', 'wrong', await tokens.own('alice', 'access', ['admin'])])
      expect(await tokens.issuer.issue({ kind: 'client', masterToken, clientId: 'shop' })).toEqual({
        ok: false,
        reason: 'invalid',
      });
  });

  it.each(['', `${'ü'.repeat(64)}a`, '\ud800', 'natter:master'])(
    'is not made for the client id %j',
    async (clientId) => {
      const { issuer } = await wireTokens();
      expect(await issuer.issue({ kind: 'client', masterToken: MASTER, clientId })).toEqual({
        ok: false,
        reason: 'bad_client_id',
      });
    },
  );

  it('is renewed by its refresh token, and by nothing else', async () => {
    const tokens = await wireTokens();
    const first = await issue(tokens, { kind: 'client', masterToken: MASTER, clientId: 'shop' });
    const second = await issue(tokens, { kind: 'refresh', refreshToken: first.refreshToken ?? '' });
    expect(second.sub).toBe('shop');
    expect(new Set([first.token, first.refreshToken, second.token, second.refreshToken]).size).toBe(4);
    expect(await tokens.judge(second.token, 'client')).toBe('shop');
    const forged = forge(
      { alg: 'HS256', typ: 'JWT' },
      { client_id: 'shop', type: 'refresh', exp: tokens.time.now() / 1000 + 60 },
      hs256(`${CLIENT_KEY}!`),
    );
    for (const refreshToken of [first.token, forged, '', 'x.y.z'])
      expect(await tokens.issuer.issue({ kind: 'refresh', refreshToken })).toEqual({
        ok: false,
        reason: 'invalid',
      });
    tokens.time.advance(366 * 86_400_000);
    expect(await tokens.issuer.issue({ kind: 'refresh', refreshToken: first.refreshToken ?? '' })).toEqual({
      ok: false,
      reason: 'expired',
    });
  });
});
