import { type ApiKeysReply, type ApiKeysRequest, apiKeySub, SUBJECTS } from '@natter/proto';
import type { NatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyStore } from '../../src/api-keys/api-key-store.ts';
import { newApiKey } from '../../src/api-keys/api-key-text.ts';
import { ApiKeyVerifier } from '../../src/api-keys/api-key-verifier.ts';
import { ApiKeys } from '../../src/api-keys/api-keys.ts';
import { apiKeysEndpoint } from '../../src/api-keys/api-keys-endpoint.ts';
import { LOG } from '../forge.ts';
import { brokerWithBuckets, connectAs } from '../rooms/rooms-under-test.ts';

let broker: NatsServer;
beforeAll(async () => {
  broker = await brokerWithBuckets();
});
afterAll(() => broker.stop());

/** One auth service's keys, with what the broker permits it, asked through the endpoint. */
async function instance(options: { limit?: number; now?: () => number } = {}) {
  const bus = await connectAs(broker, 'auth');
  onTestFinished(() => bus.close());
  const store = new ApiKeyStore(bus, LOG);
  const apiKeys = new ApiKeys({ store, log: LOG, ...options });
  const verifier = new ApiKeyVerifier({ store, environmentKey: null, now: options.now });
  const endpoint = apiKeysEndpoint({ apiKeys, log: LOG, count: () => undefined });
  const ask = async (request: ApiKeysRequest | object): Promise<ApiKeysReply> => {
    const data = new TextEncoder().encode(JSON.stringify(request));
    const message = { subject: endpoint.subject, data, header: () => undefined, respond: () => undefined };
    return JSON.parse(String(await endpoint.handle(message)));
  };
  const judge = (key: string) =>
    verifier.principal(key).then(
      ({ sub }) => sub,
      ({ code }: { code: string }) => code,
    );
  const create = async (more: object = {}) => {
    const reply = await ask({ op: 'create', name: 'ci', scopes: ['logs:read'], ...more });
    if (!reply.ok || reply.key === undefined) throw new Error(JSON.stringify(reply));
    return { key: reply.key, id: reply.keys[0]?.id ?? '' };
  };
  const ids = async () => {
    const reply = await ask({ op: 'list' });
    return reply.ok ? reply.keys.map(({ id }) => id) : [];
  };
  const everything = () => bus.stored.from('KV_api_keys', '$KV.api_keys.>', 1, 1_000);
  return { bus, ask, judge, create, ids, everything };
}

/** What gateways hear of changed keys, in order. */
async function changes() {
  const gateway = await connectAs(broker, 'gateway');
  onTestFinished(() => gateway.close());
  const heard: string[] = [];
  const sizes: number[] = [];
  gateway.subscribe(SUBJECTS.apiKeyChanged('*'), ({ subject, data }) => {
    heard.push(subject);
    sizes.push(data.length);
  });
  // The subscription is at the broker once it has answered something sent after it.
  await gateway.hasStream('TURNS');
  return { heard, sizes };
}

describe('two auth services', () => {
  it('[apikeys/revoked] know the same keys, and a key that one of them revokes is refused by both at once', async () => {
    const [one, other] = await Promise.all([instance(), instance()]);
    const { key, id } = await one.create();
    for (const { judge } of [one, other]) expect(await judge(key)).toBe(apiKeySub(id));
    expect(await other.ids()).toContain(id);
    expect(await other.ask({ op: 'revoke', id })).toMatchObject({ ok: true, keys: [{ id, name: 'ci' }] });
    for (const { judge, ids } of [one, other]) {
      expect(await judge(key)).toBe('invalid');
      expect(await ids()).not.toContain(id);
    }
    expect(await one.ask({ op: 'revoke', id })).toEqual({ ok: false, reason: 'not_found' });
  });

  it('make no more keys than there may be, although both are asked at once', async () => {
    const before = (await (await instance()).ids()).length;
    const limit = before + 4;
    const both = await Promise.all([instance({ limit }), instance({ limit })]);
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        both[index % 2]?.ask({ op: 'create', name: 'ci', scopes: ['admin'] }),
      ),
    );
    const good = made.filter((reply) => reply?.ok).length;
    expect(good).toBeLessThanOrEqual(4);
    expect(good).toBeGreaterThan(0);
    expect(await both[0].ids()).toHaveLength(before + good);
  });
});

it('[apikeys/hashed] gateways hear of a revoked key, and never anything of its hash', async () => {
  const { create, ask, everything } = await instance();
  const { key, id } = await create();
  const { heard, sizes } = await changes();
  await ask({ op: 'revoke', id });
  await expect.poll(() => heard).toEqual([`ev.out.apikey.${id}`]);
  const { key: another, id: anotherId } = await create();
  await expect.poll(() => heard.length).toBe(2);
  expect(heard[1]).toBe(`ev.out.apikey.${anotherId}`);
  expect(sizes).toEqual([0, 0]);
  const stored = await everything();
  expect(stored.map(({ subject }) => subject)).not.toContain(`$KV.api_keys.${id}`);
  const text = stored.map(({ data }) => Buffer.from(data).toString()).join('');
  expect(text).toContain(anotherId);
  for (const shown of [key, another]) expect(text).not.toContain(shown.slice(-43));
});

it('the right id with another secret is refused', async () => {
  const { create, judge } = await instance();
  const { key, id } = await create();
  const wrong = `nk_${id}_${newApiKey().key.slice(-43)}`;
  for (const text of [wrong, key.slice(0, -1), newApiKey().key]) expect(await judge(text)).toBe('invalid');
  expect(await judge(key)).toBe(apiKeySub(id));
});

it('[apikeys/expiry] a key that has expired is refused, and gone after the next list', async () => {
  let nowMs = Date.now();
  const { create, judge, ids, everything } = await instance({ now: () => nowMs });
  const { key, id } = await create({ ttlS: 60 });
  expect(await judge(key)).toBe(apiKeySub(id));
  nowMs += 60_000;
  expect(await judge(key)).toBe('expired');
  expect(await ids()).not.toContain(id);
  expect((await everything()).map(({ subject }) => subject)).not.toContain(`$KV.api_keys.${id}`);
  expect(await judge(key)).toBe('invalid');
});

it('what a service left behind that died while it revoked a key is taken away', async () => {
  const { bus, create, judge, ids, everything } = await instance();
  const { key, id } = await create();
  await (await bus.bucket('api_keys')).delete(id);
  expect(await judge(key)).toBe('invalid');
  expect(await ids()).not.toContain(id);
  expect((await everything()).map(({ subject }) => subject)).not.toContain(`$KV.api_keys.${id}`);
});

it.each([
  ['an unknown operation', { op: 'read' }],
  ['no scopes', { op: 'create', name: 'ci', scopes: [] }],
  ['an id that is a subject', { op: 'revoke', id: '>' }],
  ['a megabyte', { op: 'list', pad: 'x'.repeat(1_000_000) }],
])('a request with %s is invalid', async (_what, request) => {
  expect(await (await instance()).ask(request)).toEqual({ ok: false, reason: 'invalid' });
});
