import type { NatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  begin,
  brokerWithTopology,
  chunkOf,
  contentOf,
  finalizeOf,
  send,
  sha256,
  upload,
  uploadsUnderTest,
} from './uploads-under-test.ts';

let broker: NatsServer;
beforeAll(async () => {
  broker = await brokerWithTopology();
});
afterAll(() => broker.stop());

it('makes a file of parts that arrive in any order, over any instance', async () => {
  const [one, two] = [await uploadsUnderTest(broker), await uploadsUnderTest(broker)];
  const content = contentOf(250_000);
  const { id } = await begin(one, content.length);
  const part = (index: number) => content.subarray(index * 100_000, (index + 1) * 100_000);
  await two.granted(chunkOf(id, 2, 3), part(2));
  await one.granted(chunkOf(id, 0, 3), part(0));
  const { progress } = await two.granted(chunkOf(id, 1, 3), part(1));
  expect(progress).toMatchObject({ received: [0, 1, 2], totalChunks: 3, offset: 250_000 });
  const { file } = await one.granted(finalizeOf(id, content));
  expect(file).toMatchObject({ id, state: 'ready', size: 250_000, sha256: sha256(content) });
  expect(Buffer.from(await two.read(id, 0, 250_000)).equals(content)).toBe(true);
});

it('names the parts that are missing', async () => {
  const service = await uploadsUnderTest(broker);
  const content = contentOf(500);
  const { id } = await begin(service, 500);
  await service.granted(chunkOf(id, 1, 5), content.subarray(100, 200));
  await service.granted(chunkOf(id, 3, 5), content.subarray(300, 400));
  const reply = await service.ask(finalizeOf(id, content));
  expect(reply).toMatchObject({ ok: false, code: 'UPLOAD_INCOMPLETE', missing: [0, 2, 4] });
  const { progress } = await service.granted({ op: 'status', sub: 'alice', id });
  expect(progress).toMatchObject({ received: [1, 3], offset: 200 });
});

it('returns the same file when a finalize is repeated', async () => {
  const service = await uploadsUnderTest(broker);
  const content = contentOf(1_000);
  const file = await upload(service, content);
  const again = await service.granted(finalizeOf(file.id, content));
  expect(again.file).toEqual(file);
  expect(await service.granted({ op: 'status', sub: 'alice', id: file.id })).toEqual({ ok: true, file });
});

it('reads any range of a file of many messages', async () => {
  const service = await uploadsUnderTest(broker);
  const content = contentOf(3 * 2 ** 20 + 5);
  const id = await send(service, content, 700_001);
  await service.granted(finalizeOf(id, content));
  for (const [offset, length] of [
    [0, 1],
    [2 ** 20 - 1, 2],
    [2 ** 20, 2 ** 20],
    [3 * 2 ** 20, 100],
  ] as const) {
    const bytes = await service.read(id, offset, length);
    expect(Buffer.from(bytes).equals(content.subarray(offset, offset + length))).toBe(true);
  }
});
