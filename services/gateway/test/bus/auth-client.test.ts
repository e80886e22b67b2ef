import { type ApiKeysReply, type ApiKeysRequest, SUBJECTS } from '@natter/proto';
import { BusError } from '@natter/runtime';
import { expect, it } from 'vitest';
import { AuthClient } from '../../src/bus/auth-client.ts';

const REPLY: ApiKeysReply = { ok: true, keys: [] };

/** An auth service whose first answer is lost. */
function clientThatIsAnsweredAt2nd() {
  const asked: string[] = [];
  const client = new AuthClient(
    {
      request: async (subject, data) => {
        asked.push(`${subject} ${data}`);
        if (asked.length === 1) throw new BusError('UNAVAILABLE', 'the answer was lost');
        return new TextEncoder().encode(JSON.stringify(REPLY));
      },
    },
    10_000,
  );
  return { client, asked };
}

it.each<ApiKeysRequest>([{ op: 'list' }, { op: 'revoke', id: 'a'.repeat(16) }])(
  'asks again about API keys when an answer was lost: %j',
  async (request) => {
    const { client, asked } = clientThatIsAnsweredAt2nd();
    expect(await client.apiKeys(request)).toEqual(REPLY);
    const question = `${SUBJECTS.authApiKeys} ${JSON.stringify(request)}`;
    expect(asked).toEqual([question, question]);
  },
);

it('asks once for a new API key, so that no key is left that nobody knows', async () => {
  const { client, asked } = clientThatIsAnsweredAt2nd();
  const created = client.apiKeys({ op: 'create', name: 'ci', scopes: ['admin'] });
  await expect(created).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(asked).toHaveLength(1);
});

const principal = (sub: string) => ({ sub, email: null, name: null, roles: [], scopes: [], expiresAt: 9 });

it('shows tokens that come at the same time in one request, and gives each its own verdict', async () => {
  const asked: { subject: string; body: unknown }[] = [];
  const replies = [
    { ok: true, principal: principal('alice') },
    { ok: false, reason: 'expired' },
  ];
  const client = new AuthClient(
    {
      request: async (subject, data) => {
        asked.push({ subject, body: JSON.parse(data.toString()) });
        return new TextEncoder().encode(JSON.stringify({ replies }));
      },
    },
    10_000,
  );
  expect(
    await Promise.all([client.verify('a', 'access', ['=r=1']), client.verify('b', 'websocket')]),
  ).toEqual(replies);
  const asks = [
    { token: 'a', use: 'access', rooms: ['=r=1'] },
    { token: 'b', use: 'websocket' },
  ];
  expect(asked).toEqual([{ subject: SUBJECTS.authVerifyMany, body: { asks } }]);
});

it('shows a token that comes alone by itself, and again when an answer was lost', async () => {
  const asked: string[] = [];
  const client = new AuthClient(
    {
      request: async (subject, data) => {
        asked.push(`${subject} ${data}`);
        if (asked.length === 1) throw new BusError('UNAVAILABLE', 'the answer was lost');
        return new TextEncoder().encode(JSON.stringify({ ok: true, principal: principal('alice') }));
      },
    },
    10_000,
  );
  expect(await client.verify('a')).toMatchObject({ ok: true, principal: { sub: 'alice' } });
  const question = `${SUBJECTS.authVerify} {"token":"a","use":"access"}`;
  expect(asked).toEqual([question, question]);
});
