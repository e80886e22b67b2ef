import { STREAMS, SUBJECTS } from '@natter/proto';
import type { NatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  begin,
  brokerWithTopology,
  CONVERSATION,
  chunkOf,
  contentOf,
  everything,
  finalizeOf,
  initOf,
  logOf,
  scannerThatSays,
  send,
  sha256,
  type UploadsUnderTest,
  upload,
  uploadsUnderTest,
} from '../uploads-under-test.ts';

let broker: NatsServer;
beforeAll(async () => {
  broker = await brokerWithTopology();
});
afterAll(() => broker.stop());

const KIB = 1024;
const part = (sub: string, id: string, offset: number) =>
  ({ op: 'chunk', sub, id, position: { offset } }) as const;

describe('init', () => {
  it.each([
    [{ fileName: '' }, 'FILE_NAME_INVALID'],
    [{ fileName: 'a.exe' }, 'FILE_TYPE_NOT_ALLOWED'],
    [{ size: 0 }, 'FILE_EMPTY'],
    [{ size: -1 }, 'INVALID_FIELD'],
    [{ size: 50 * 2 ** 20 + 1 }, 'FILE_TOO_LARGE'],
  ] as const)('refuses %o with %s, and keeps nothing', async (more, code) => {
    const service = await uploadsUnderTest(broker);
    const before = await everything(service.bus);
    expect(await service.code(initOf(10, more))).toBe(code);
    expect(await everything(service.bus)).toEqual(before);
  });

  it('takes a declared type only if it looks like one', async () => {
    const service = await uploadsUnderTest(broker);
    const typeOf = async (declaredType: string | null) => {
      const { id } = await begin(service, 10, { declaredType });
      return (await service.kept.uploads.get('alice', id))?.upload.declaredType;
    };
    expect(await typeOf('Text/Plain; charset=utf-8')).toBe('text/plain');
    expect(await typeOf('<script>')).toBe(null);
    expect(await typeOf(null)).toBe(null);
  });
});

describe('the quota', () => {
  it('is never exceeded by uploads that begin at once, on two instances', async () => {
    const options = { quotaBytes: 10 * KIB };
    const services = [await uploadsUnderTest(broker, options), await uploadsUnderTest(broker, options)];
    const sub = 'quota-1';
    const codes = await Promise.all(
      Array.from({ length: 24 }, (_, index) => services[index % 2]?.code(initOf(KIB, { sub }))),
    );
    expect(codes.filter((code) => code === 'ok')).toHaveLength(10);
    expect(codes.filter((code) => code === 'QUOTA_EXCEEDED')).toHaveLength(14);
  });

  it('counts finished files, and has room again after a delete, a cancel and a refusal', async () => {
    const service = await uploadsUnderTest(broker, { quotaBytes: 3 * KIB });
    const sub = 'quota-2';
    const content = contentOf(KIB);
    const file = await upload(service, content, { sub });
    const cancelled = await begin(service, KIB, { sub });
    const refused = await send(service, content, KIB, { sub });
    expect(await service.code(initOf(1, { sub }))).toBe('QUOTA_EXCEEDED');
    await service.granted({ op: 'delete', id: file.id });
    await service.granted({ op: 'cancel', sub, id: cancelled.id });
    expect(await service.code(finalizeOf(refused, contentOf(5), sub))).toBe('CHECKSUM_MISMATCH');
    expect(await service.code(initOf(3 * KIB, { sub }))).toBe('ok');
  });

  it('has room again once an upload has expired, or a death left a place of nothing', async () => {
    const sub = 'quota-3';
    const service = await uploadsUnderTest(broker, { quotaBytes: KIB });
    await begin(service, KIB, { sub });
    expect(await service.code(initOf(KIB, { sub }))).toBe('QUOTA_EXCEEDED');
    const later = await uploadsUnderTest(broker, { quotaBytes: KIB, now: () => Date.now() + 25 * 3_600_000 });
    const second = await begin(later, KIB, { sub });
    await later.kept.ledger.settle(sub, second.id, KIB);
    expect(await later.code(initOf(KIB, { sub }))).toBe('ok');
  });

  it('still counts a file whose service died before the place was settled', async () => {
    const sub = 'quota-4';
    const service = await uploadsUnderTest(broker, { quotaBytes: KIB });
    const file = await upload(service, contentOf(KIB), { sub });
    await service.kept.ledger.release(sub, file.id);
    await service.kept.ledger.reserve(sub, file.id, KIB, 1);
    expect(await service.code(initOf(1, { sub }))).toBe('QUOTA_EXCEEDED');
  });
});

describe('a chunk', () => {
  it.each([
    ['an empty one', 0, chunkOf('', 0, 2), 'CHUNK_INVALID'],
    ['one above the limit', 65 * KIB, chunkOf('', 0, 2), 'CHUNK_TOO_LARGE'],
    ['an index outside the total', 10, chunkOf('', 2, 2), 'CHUNK_INVALID'],
    ['an index above all limits', 10, chunkOf('', 1_024), 'CHUNK_INVALID'],
    ['a total above all limits', 10, chunkOf('', 0, 1_025), 'CHUNK_INVALID'],
    ['a total that differs from the first one', 10, chunkOf('', 0, 3), 'CHUNK_INVALID'],
    ['an offset of an indexed upload', 10, part('alice', '', 0), 'CHUNK_INVALID'],
    ['more bytes than the file', 10 * KIB, chunkOf('', 0, 2), 'FILE_SIZE_MISMATCH'],
    ['one of another user', 10, chunkOf('', 0, 2, 'bob'), 'UPLOAD_NOT_FOUND'],
  ] as const)('is refused: %s', async (_name, bytes, request, code) => {
    const service = await uploadsUnderTest(broker, { maxChunkSize: 64 * KIB });
    const { id } = await begin(service, 4 * KIB);
    await service.granted(chunkOf(id, 1, 2), contentOf(KIB));
    expect(await service.code({ ...request, id }, contentOf(bytes))).toBe(code);
    expect(await service.kept.parts.arrived(id)).toEqual([{ at: 1, length: KIB }]);
  });

  it('counts once when it is sent again, also with another length', async () => {
    const service = await uploadsUnderTest(broker);
    const content = contentOf(3 * KIB);
    const { id } = await begin(service, content.length);
    await service.granted(chunkOf(id, 0, 2), contentOf(2 * KIB, 9));
    await service.granted(chunkOf(id, 0, 2), content.subarray(0, KIB));
    const { progress } = await service.granted(chunkOf(id, 1, 2), content.subarray(KIB));
    expect(progress).toMatchObject({ received: [0, 1], offset: 3 * KIB });
    await service.granted(chunkOf(id, 1, 2), content.subarray(KIB));
    expect((await service.granted(finalizeOf(id, content))).file?.sha256).toBe(sha256(content));
  });

  it('is not kept when it makes the file larger than declared', async () => {
    const service = await uploadsUnderTest(broker);
    const { id } = await begin(service, 3 * KIB);
    await service.granted(chunkOf(id, 0), contentOf(2 * KIB));
    expect(await service.code(chunkOf(id, 1), contentOf(2 * KIB))).toBe('FILE_SIZE_MISMATCH');
    expect(await service.kept.parts.arrived(id)).toEqual([{ at: 0, length: 2 * KIB }]);
  });

  it('needs no total: the bytes tell when all have arrived', async () => {
    const service = await uploadsUnderTest(broker);
    const content = contentOf(3 * KIB);
    const { id } = await begin(service, content.length);
    await service.granted(chunkOf(id, 1), content.subarray(KIB, 2 * KIB));
    expect(await service.ask(finalizeOf(id, content))).toMatchObject({ missing: [0, 2] });
    await service.granted(chunkOf(id, 0), content.subarray(0, KIB));
    await service.granted(chunkOf(id, 2), content.subarray(2 * KIB));
    expect((await service.granted(finalizeOf(id, content))).file?.size).toBe(3 * KIB);
  });

  it('is taken away again when its upload ended meanwhile', async () => {
    const service = await uploadsUnderTest(broker);
    const { id } = await begin(service, KIB);
    const storing = service.kept.parts.put.bind(service.kept.parts);
    service.kept.parts.put = async (...chunk) => {
      await service.granted({ op: 'cancel', sub: 'alice', id });
      await storing(...chunk);
    };
    expect(await service.code(chunkOf(id, 0, 1), contentOf(KIB))).toBe('UPLOAD_NOT_FOUND');
    expect(await service.kept.parts.arrived(id)).toEqual([]);
  });
});

describe('a sequential upload', () => {
  const sub = 'tus';
  const start = (service: UploadsUnderTest, size: number) =>
    begin(service, size, { sub, mode: 'sequential' });

  it('takes each part where the ones before end, and says where it stands', async () => {
    const service = await uploadsUnderTest(broker);
    const content = contentOf(5_000);
    const { id } = await start(service, 5_000);
    await service.granted(part(sub, id, 0), content.subarray(0, 2_000));
    expect(await service.code(part(sub, id, 0), content.subarray(0, 2_000))).toBe('UPLOAD_OFFSET_CONFLICT');
    expect(await service.code(part(sub, id, 2_001), content.subarray(2_001))).toBe('UPLOAD_OFFSET_CONFLICT');
    expect(await service.code(part(sub, id, 2_000), contentOf(3_001))).toBe('FILE_SIZE_MISMATCH');
    expect(await service.code(finalizeOf(id, null, sub))).toBe('UPLOAD_INCOMPLETE');
    const status = await service.granted({ op: 'status', sub, id });
    expect(status.progress).toMatchObject({ offset: 2_000, received: [], mode: 'sequential' });
    const { progress } = await service.granted(part(sub, id, 2_000), content.subarray(2_000));
    expect(progress?.offset).toBe(5_000);
    const { file } = await service.granted(finalizeOf(id, null, sub));
    expect(file?.sha256).toBe(sha256(content));
  });

  it('is whole where parts of a broken PATCH overlap those of the next', async () => {
    const service = await uploadsUnderTest(broker);
    const content = contentOf(4_000);
    const { id } = await start(service, 4_000);
    // Two requests that began at the same offset: both are stored.
    await service.kept.parts.put(id, { at: 0, length: 1_500 }, content.subarray(0, 1_500));
    await service.granted(part(sub, id, 1_500), content.subarray(1_500, 1_600));
    await service.kept.parts.put(id, { at: 0, length: 3_000 }, content.subarray(0, 3_000));
    await service.granted(part(sub, id, 3_000), content.subarray(3_000));
    expect((await service.granted(finalizeOf(id, null, sub))).file?.sha256).toBe(sha256(content));
  });

  it('verifies a hash if it is told one', async () => {
    const service = await uploadsUnderTest(broker);
    const { id } = await start(service, 100);
    await service.granted(part(sub, id, 0), contentOf(100));
    expect(await service.code(finalizeOf(id, contentOf(99), sub))).toBe('CHECKSUM_MISMATCH');
  });
});

describe('a finalize', () => {
  it.each([[null], ['abc'], ['z'.repeat(64)]])('wants a SHA-256: not %s', async (hash) => {
    const service = await uploadsUnderTest(broker);
    const id = await send(service, contentOf(10), 10);
    expect(await service.code({ op: 'finalize', sub: 'alice', id, sha256: hash })).toBe('CHECKSUM_INVALID');
  });

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
    'refuses %s for good with %s, and leaves nothing but the refusal',
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

describe('an upload', () => {
  it('is gone after a cancel, with all that had arrived', async () => {
    const service = await uploadsUnderTest(broker);
    const before = await everything(service.bus);
    const id = await send(service, contentOf(500), 100);
    expect(await service.code({ op: 'cancel', sub: 'bob', id })).toBe('UPLOAD_NOT_FOUND');
    await service.granted({ op: 'cancel', sub: 'alice', id });
    expect(await everything(service.bus)).toEqual(before);
    expect(await service.code({ op: 'cancel', sub: 'alice', id })).toBe('UPLOAD_NOT_FOUND');
    expect(await service.code(chunkOf(id, 0, 5), contentOf(100))).toBe('UPLOAD_NOT_FOUND');
  });

  it('is not there any more once it has expired', async () => {
    const service = await uploadsUnderTest(broker);
    const id = await send(service, contentOf(500), 100);
    const later = await uploadsUnderTest(broker, { now: () => Date.now() + 24 * 3_600_000 + 1_000 });
    for (const request of [
      chunkOf(id, 0, 5),
      finalizeOf(id, contentOf(500)),
      { op: 'status', sub: 'alice', id } as const,
    ])
      expect(await later.code(request, contentOf(100))).toBe('UPLOAD_NOT_FOUND');
  });
});

describe('a file', () => {
  it('is listed with its conversation and its owner, the newest first', async () => {
    let time = Date.now();
    const service = await uploadsUnderTest(broker, { now: () => time });
    const [sub, conversation] = ['lister', 'lister=files'];
    const files = [];
    for (const size of [10, 20, 30]) {
      files.unshift(await upload(service, contentOf(size), { sub, conversation }));
      time += 10;
    }
    const own = await upload(service, contentOf(40), { sub, conversation: null });
    expect((await service.granted({ op: 'list', of: { conversation } })).files).toEqual(files);
    expect((await service.granted({ op: 'list', of: { owner: sub } })).files).toEqual([own, ...files]);
    await begin(service, 10, { sub, conversation });
    expect((await service.granted({ op: 'list', of: { owner: sub } })).files).toHaveLength(4);
    expect((await service.granted({ op: 'list', of: { conversation: 'nobody=files' } })).files).toEqual([]);
  });

  it('is gone after a delete, in every stream and bucket', async () => {
    const service = await uploadsUnderTest(broker);
    const before = await everything(service.bus);
    const file = await upload(service, contentOf(2_000_000));
    await service.kept.conversations.putText(CONVERSATION, { id: file.id, name: 'n', text: 'some text' });
    await service.granted({ op: 'delete', id: file.id });
    expect(await everything(service.bus)).toEqual(before);
    expect(await service.code({ op: 'read', id: file.id, offset: 0, length: 1 })).toBe('FILE_NOT_FOUND');
    expect(await service.code({ op: 'delete', id: file.id })).toBe('FILE_NOT_FOUND');
    expect(await service.code(finalizeOf(file.id, contentOf(2_000_000)))).toBe('UPLOAD_NOT_FOUND');
  });

  it('is read up to its end, and not beyond', async () => {
    const service = await uploadsUnderTest(broker);
    const file = await upload(service, contentOf(100));
    expect(await service.read(file.id, 90, 1_000)).toHaveLength(10);
    expect(await service.code({ op: 'read', id: file.id, offset: 100, length: 1 })).toBe('RANGE_INVALID');
    const unknown = '00000000-0000-4000-8000-000000000000';
    expect(await service.code({ op: 'read', id: unknown, offset: 0, length: 1 })).toBe('FILE_NOT_FOUND');
  });
});
