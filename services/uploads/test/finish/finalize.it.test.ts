import { STREAMS, SUBJECTS } from '@natter/proto';
import { BusError } from '@natter/runtime';
import type { NatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  begin,
  brokerWithTopology,
  chunkOf,
  contentOf,
  everything,
  finalizeOf,
  logOf,
  scannerThatSays,
  send,
  sha256,
  upload,
  uploadsUnderTest,
} from '../uploads-under-test.ts';

let broker: NatsServer;
beforeAll(async () => {
  broker = await brokerWithTopology();
});
afterAll(() => broker.stop());

describe('a finalize', () => {
  it.each([[null], ['abc'], ['z'.repeat(64)]])(
    '[files/hash-verified] wants a SHA-256: not %s',
    async (hash) => {
      const service = await uploadsUnderTest(broker);
      const id = await send(service, contentOf(10), 10);
      expect(await service.code({ op: 'finalize', sub: 'alice', id, sha256: hash })).toBe('CHECKSUM_INVALID');
    },
  );

  it('takes a hash in capital letters', async () => {
    const service = await uploadsUnderTest(broker);
    const id = await send(service, contentOf(10), 10);
    const hash = sha256(contentOf(10)).toUpperCase();
    expect(await service.code({ op: 'finalize', sub: 'alice', id, sha256: hash })).toBe('ok');
  });

  it('is only for whoever began the upload', async () => {
    const service = await uploadsUnderTest(broker);
    const id = await send(service, contentOf(10), 10);
    expect(await service.code(finalizeOf(id, contentOf(10), 'bob'))).toBe('UPLOAD_NOT_FOUND');
    await service.granted(finalizeOf(id, contentOf(10)));
    expect(await service.code(finalizeOf(id, contentOf(10), 'bob'))).toBe('UPLOAD_NOT_FOUND');
    expect(await service.code({ op: 'status', sub: 'bob', id })).toBe('UPLOAD_NOT_FOUND');
  });

  const infected = scannerThatSays(() => ({ verdict: 'infected', signature: 'Test' }));
  const mismatch = {
    safeFileName: (raw: string) => raw,
    allowedName: () => true,
    judge: () => ({
      push: () => undefined,
      end: async () => ({ ok: false, code: 'FILE_TYPE_MISMATCH' }) as const,
    }),
  };
  it.each([
    ['a virus', 'FILE_INFECTED', { scanner: infected }, contentOf(3_000), 3_000],
    ['another type', 'FILE_TYPE_MISMATCH', { kinds: mismatch }, contentOf(3_000), 3_000],
    ['another hash', 'CHECKSUM_MISMATCH', {}, contentOf(2_999), 3_000],
    ['fewer bytes than declared', 'FILE_SIZE_MISMATCH', {}, contentOf(3_000), 3_001],
  ] as const)(
    '[files/nothing-left] [files/size-verified] [files/hash-verified] refuses %s for good with %s, and leaves nothing but the refusal',
    async (_name, code, tools, hashed, size) => {
      const service = await uploadsUnderTest(broker, tools);
      const before = await everything(service.bus);
      const { id } = await begin(service, size);
      const content = contentOf(3_000);
      for (const index of [0, 1, 2])
        await service.granted(chunkOf(id, index, 3), content.subarray(index * 1_000, (index + 1) * 1_000));
      expect(await service.code(finalizeOf(id, hashed))).toBe(code);
      expect(await service.code(finalizeOf(id, hashed))).toBe(code);
      expect(await service.code({ op: 'status', sub: 'alice', id })).toBe(code);
      expect(await service.code({ op: 'file', id })).toBe('FILE_NOT_FOUND');
      const left = (await everything(service.bus)).filter((subject) => !before.includes(subject));
      expect(left).toEqual([`$KV.uploads.alice.${id}`]);
      expect(JSON.stringify(await logOf(service.bus))).not.toContain(id);
    },
  );

  it('that finds the store unwritable is UNAVAILABLE, leaves no attempt, and may be repeated', async () => {
    const service = await uploadsUnderTest(broker);
    const id = await send(service, contentOf(10), 10);
    const before = await everything(service.bus);
    const { current } = service.kept.stores;
    const write = current.write.bind(current);
    current.write = () => Promise.reject(new BusError('UNAVAILABLE', 'EACCES'));
    expect(await service.code(finalizeOf(id, contentOf(10)))).toBe('UNAVAILABLE');
    expect(await everything(service.bus)).toEqual(before);
    current.write = write;
    expect(await service.code(finalizeOf(id, contentOf(10)))).toBe('ok');
  });

  it('tells the conversation of the file, in its log', async () => {
    const service = await uploadsUnderTest(broker);
    const content = contentOf(77);
    const conversation = 'alice=told';
    const file = await upload(service, content, { conversation });
    const shared = {
      type: 'file.shared',
      file: file.id,
      name: 'notes.txt',
      size: 77,
      contentType: 'text/plain',
    };
    const [entry, ...others] = await logOf(service.bus, conversation);
    expect(entry).toEqual({
      ...shared,
      sha256: sha256(content),
      sub: 'alice',
      subName: 'Alice',
      at: file.createdAt,
    });
    expect(others).toEqual([]);
  });

  it('tells nobody of a file without a conversation, and notes no text of it', async () => {
    const service = await uploadsUnderTest(broker);
    const said = async () =>
      (await service.bus.stored.from(STREAMS.messages, SUBJECTS.allMessages, 1, 1_000)).length;
    const before = await said();
    const file = await upload(service, contentOf(5), { conversation: null });
    expect(await said()).toBe(before);
    expect((await everything(service.bus)).filter((one) => one.includes(`text.${file.id}`))).toEqual([]);
  });
});
