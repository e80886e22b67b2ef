import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connected } from './connected.ts';

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

const text = (entry: { value: Uint8Array } | null) => Buffer.from(entry?.value ?? []).toString();

test('the leader has what was written last, and nothing of a key that was deleted or never was', async () => {
  const bucket = await (await connected(server)).bucket('runs');
  expect(await bucket.getFromLeader('led')).toBeNull();
  const first = await bucket.create('led', 'one');
  expect(await bucket.getFromLeader('led')).toMatchObject({ revision: first });
  const second = await bucket.update('led', 'two', first);
  const entry = await bucket.getFromLeader('led');
  expect([text(entry), entry?.revision]).toEqual(['two', second]);
  await bucket.delete('led');
  expect(await bucket.getFromLeader('led')).toBeNull();
  await bucket.create('led', 'three');
  expect(text(await bucket.getFromLeader('led'))).toBe('three');
});

test('a read from the leader is no direct get, which any replica answers', async () => {
  const bus = await connected(server);
  const bucket = await bus.bucket('runs');
  await bucket.create('asked', 'x');
  const asked: string[] = [];
  bus.subscribe('$JS.API.STREAM.MSG.GET.>', ({ subject }) => asked.push(subject));
  bus.subscribe('$JS.API.DIRECT.GET.>', ({ subject }) => asked.push(subject));
  await bucket.getFromLeader('asked');
  await vi.waitFor(() => expect(asked).toEqual(['$JS.API.STREAM.MSG.GET.KV_runs']));
});

test('a key is deleted by its revision only while it has it', async () => {
  const bucket = await (await connected(server)).bucket('runs');
  const first = await bucket.create('swept', 'one');
  const second = await bucket.update('swept', 'two', first);
  await expect(bucket.delete('swept', first)).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(text(await bucket.get('swept'))).toBe('two');
  await bucket.delete('swept', second);
  expect(await bucket.get('swept')).toBeNull();
});

test('keys that are purged leave nothing behind, but for what was written after the revision', async () => {
  const bus = await connected(server);
  const bucket = await bus.bucket('runs');
  const left = async () =>
    (await bus.stored.from('KV_runs', '$KV.runs.purged.*', 1, 10)).map(({ subject }) => subject);
  const first = await bucket.create('purged.a', 'one');
  await bucket.update('purged.a', 'two', first);
  const b = await bucket.create('purged.b', 'one');
  await bucket.purge('purged.a', first);
  expect(text(await bucket.get('purged.a'))).toBe('two');
  await bucket.purge('purged.b', b);
  expect(await left()).toEqual(['$KV.runs.purged.a']);
  await bucket.create('purged.b', 'again');
  await bucket.purge('purged.*');
  expect(await left()).toEqual([]);
});

test('many keys are read at once, up to the last write or further', async () => {
  const bus = await connected(server);
  const bucket = await bus.bucket('runs');
  const keys = Array.from({ length: 30 }, (_, index) => `many.${index}`);
  for (const key of keys.slice(0, 20)) await bucket.create(key, `of ${key}`);
  await bucket.delete('many.0');
  const since = await bucket.lastSeq();
  const { found, upTo } = await bucket.getMany(keys, since);
  expect(upTo).toBe(since);
  expect([...found.keys()].toSorted()).toEqual(keys.slice(1, 20).toSorted());
  expect(text(found.get('many.7') ?? null)).toBe('of many.7');
  expect(found.get('many.7')?.revision).toBe((await bucket.getFromLeader('many.7'))?.revision);
});

test('the last write counts also when it was taken out of the bucket', async () => {
  const bucket = await (await connected(server)).bucket('runs');
  const revision = await bucket.create('taken', 'x');
  await bucket.purge('taken', revision);
  expect(await bucket.lastSeq()).toBe(revision);
  await bucket.delete('taken');
  expect(await bucket.lastSeq()).toBe(revision + 1);
});

test('the leader is asked for each of many keys when who answered may be behind it', async () => {
  const bus = await connected(server);
  const bucket = await bus.bucket('runs');
  const keys = Array.from({ length: 12 }, (_, index) => `behind.${index}`);
  const revisions = [];
  for (const key of keys) revisions.push(await bucket.create(key, 'x'));
  const since = await bucket.lastSeq();
  const stale = vi.spyOn(bus.stored, 'lastOf').mockResolvedValue({ found: [], upTo: since - 1 });
  const { found, upTo } = await bucket.getMany(keys, since);
  expect(stale).toHaveBeenCalledOnce();
  expect([...found.values()].map(({ revision }) => revision).toSorted()).toEqual(revisions.toSorted());
  expect(upTo).toBeNull();
});

test('of many keys of which none was ever written nothing is found, and up to where is not known', async () => {
  const bucket = await (await connected(server)).bucket('runs');
  const keys = Array.from({ length: 12 }, (_, index) => `never.${index}`);
  expect(await bucket.getMany(keys, 0)).toEqual({ found: new Map(), upTo: null });
});

test('a key that was deleted can be created again, and one that is there can not', async () => {
  const bucket = await (await connected(server)).bucket('runs');
  const first = await bucket.create('again', 'one');
  await expect(bucket.create('again', 'two')).rejects.toMatchObject({ code: 'CONFLICT' });
  await bucket.delete('again');
  expect(await bucket.get('again')).toBeNull();
  const second = await bucket.create('again', 'three');
  expect(second).toBeGreaterThan(first);
  expect(await bucket.get('again')).toEqual({ value: expect.anything(), revision: second });
  await expect(bucket.update('again', 'late', first)).rejects.toMatchObject({ code: 'CONFLICT' });
});

test.each(['a.*', '>', '', '.a', 'a.', 'a b', 'a\r\nb'])('%j is no key', async (key) => {
  const bucket = await (await connected(server)).bucket('runs');
  await expect(bucket.get(key)).rejects.toMatchObject({ code: 'REFUSED' });
  await expect(bucket.create(key, 'x')).rejects.toMatchObject({ code: 'REFUSED' });
  await expect(bucket.update(key, 'x', 1)).rejects.toMatchObject({ code: 'REFUSED' });
});
