import { BUCKETS, FILE_TEXT_CHARS } from '@natter/proto';
import { BusError } from '@natter/runtime';
import type { NatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { TextExtractor } from '../../src/ports.ts';
import { TextQueue } from '../../src/rounds/text-queue.ts';
import { textRound } from '../../src/rounds/text-round.ts';
import {
  brokerWithTopology,
  contentOf,
  everything,
  LOG,
  type UploadsUnderTest,
  upload,
  uploadsUnderTest,
} from '../uploads-under-test.ts';

let broker: NatsServer;
beforeAll(async () => {
  broker = await brokerWithTopology();
});
afterAll(() => broker.stop());

const extractorOf = (extract: TextExtractor['extract']): TextExtractor => ({
  extract,
  close: async () => undefined,
});
const sizeOf: TextExtractor['extract'] = async (_file, read) => {
  let size = 0;
  for await (const bytes of read()) size += bytes.length;
  return `${size} bytes`;
};

async function textOf(service: UploadsUnderTest, conversation: string, id: string): Promise<unknown> {
  const entry = await (await service.bus.bucket(BUCKETS.fileTexts)).get(`${conversation}.${id}`);
  return entry === null ? null : JSON.parse(Buffer.from(entry.value).toString());
}

const parts = (extractor: TextExtractor) => ({ extractor, log: LOG, count: () => undefined });
let nowMs = Date.now();
const now = () => nowMs;

it('a finalize is answered before the text is there; then agents find it', async () => {
  const { promise: mayRead, resolve: go } = Promise.withResolvers<void>();
  const queues: TextQueue[] = [];
  const service = await uploadsUnderTest(broker, { ready: (file) => queues[0]?.add(file) });
  const extractor = extractorOf(async (...file) => {
    await mayRead;
    return sizeOf(...file);
  });
  queues.push(new TextQueue(async () => service.kept, { ...parts(extractor), now: Date.now }));
  const conversation = 'alice=t1';
  const { id } = await upload(service, contentOf(1_500_000), { conversation });
  expect(await textOf(service, conversation, id)).toBe(null);
  go();
  await vi.waitFor(async () =>
    expect(await textOf(service, conversation, id)).toEqual({ id, name: 'notes.txt', text: '1500000 bytes' }),
  );
  await queues[0]?.stop();
  expect(await service.kept.texts.claim(id, 0)).toBe(0);
});

it('another instance does it when the one that finished the file has died', async () => {
  const service = await uploadsUnderTest(broker, { now });
  const conversation = 'alice=t2';
  const { id } = await upload(service, contentOf(10), { conversation });
  await textRound(service.kept, parts(extractorOf(sizeOf)));
  expect(await textOf(service, conversation, id)).toBe(null);
  nowMs += 120_000;
  await textRound(service.kept, parts(extractorOf(sizeOf)));
  expect(await textOf(service, conversation, id)).toMatchObject({ text: '10 bytes' });
  expect(await service.kept.texts.open()).not.toContain(id);
});

it.each([
  ['fails', () => Promise.reject<null>(new Error('broken'))],
  ['has no text', () => Promise.resolve(null)],
])('[text/limits] a file that %s is as good as before, and is not tried again', async (_name, extract) => {
  const service = await uploadsUnderTest(broker, { now });
  const conversation = 'alice=t3';
  const { id } = await upload(service, contentOf(10), { conversation });
  nowMs += 120_000;
  await textRound(service.kept, parts(extractorOf(extract)));
  expect(await textOf(service, conversation, id)).toBe(null);
  expect(await service.kept.texts.open()).not.toContain(id);
  expect(await service.read(id, 0, 10)).toHaveLength(10);
});

it('a long text is cut, and never within a character', async () => {
  const service = await uploadsUnderTest(broker, { now });
  const conversation = 'alice=t4';
  const { id } = await upload(service, contentOf(10), { conversation });
  const text = `${'a'.repeat(FILE_TEXT_CHARS - 1)}😀`;
  nowMs += 120_000;
  await textRound(service.kept, parts(extractorOf(async () => text)));
  const kept = (await textOf(service, conversation, id)) as { text: string };
  expect(kept.text).toHaveLength(FILE_TEXT_CHARS);
  expect(kept.text.isWellFormed()).toBe(true);
});

it('a file that is deleted while its text is read leaves none', async () => {
  const service = await uploadsUnderTest(broker, { now });
  const conversation = 'alice=t5';
  const { id } = await upload(service, contentOf(10), { conversation });
  nowMs += 120_000;
  const deleting = extractorOf(async () => {
    await service.granted({ op: 'delete', id });
    return 'too late';
  });
  await textRound(service.kept, parts(deleting));
  expect(await textOf(service, conversation, id)).toBe(null);
});

it('a file whose instance stops meanwhile is left to another one at once', async () => {
  const service = await uploadsUnderTest(broker, { now });
  const conversation = 'alice=t6';
  const { id } = await upload(service, contentOf(10), { conversation });
  nowMs += 120_000;
  const stopping = extractorOf(() =>
    Promise.reject(Object.assign(new Error('the service stops'), { code: 'TEXT_CLOSED' })),
  );
  await textRound(service.kept, parts(stopping));
  expect(await textOf(service, conversation, id)).toBe(null);
  await textRound(service.kept, parts(extractorOf(sizeOf)));
  expect(await textOf(service, conversation, id)).toMatchObject({ text: '10 bytes' });
});

it('a text that can not be stored is tried ever later, twelve times, and keeps no other from being read', async () => {
  const service = await uploadsUnderTest(broker, { now });
  const conversation = 'alice=t7';
  const bad = await upload(service, contentOf(10), { conversation });
  const { conversations } = service.kept;
  const put = conversations.putText.bind(conversations);
  let tries = 0;
  conversations.putText = async (of, text) => {
    if (text.id !== bad.id) return put(of, text);
    tries += 1;
    throw new BusError('REFUSED', 'maximum bytes exceeded');
  };
  const good = await upload(service, contentOf(20), { conversation });
  nowMs += 120_000;
  const round = () => textRound(service.kept, parts(extractorOf(sizeOf)));
  await round();
  expect(await textOf(service, conversation, good.id)).toMatchObject({ text: '20 bytes' });
  const waits: number[] = [];
  for (let waited = 30; tries < 12; waited += 30) {
    nowMs += 30_000;
    const before = tries;
    await round();
    if (tries > before) waits.push(waited);
    if (tries > before) waited = 0;
  }
  expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600, 3_600]);
  expect(await service.kept.texts.open()).not.toContain(bad.id);
  nowMs += 3_600_000;
  await round();
  await round();
  expect(tries).toBe(12);
  expect((await everything(service.bus)).filter((one) => one.includes(`text.${bad.id}`))).toEqual([]);
});
