import type { NatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  begin,
  brokerWithTopology,
  chunkOf,
  contentOf,
  finalizeOf,
  sha256,
  type UploadsUnderTest,
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

  it('[files/repeated] counts once when it is sent again, also with another length', async () => {
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

  it('that comes in two lengths at once is stored in one of them, or nobody is told that it was', async () => {
    const services = [await uploadsUnderTest(broker), await uploadsUnderTest(broker)];
    const [one] = services as [UploadsUnderTest];
    for (let tries = 0; tries < 10; tries += 1) {
      const { id } = await begin(one, 3 * KIB);
      const codes = await Promise.all(
        services.map((service, index) => service.code(chunkOf(id, 0, 3), contentOf(KIB - 4 * index))),
      );
      expect(['ok', 'UNAVAILABLE']).toEqual(expect.arrayContaining(codes));
      const arrived = await one.kept.parts.arrived(id);
      expect(arrived.length, codes.join()).toBeGreaterThanOrEqual(codes.includes('UNAVAILABLE') ? 0 : 1);
    }
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

  it('keeps the longest of many parts that come for one offset at once', async () => {
    const service = await uploadsUnderTest(broker);
    const content = contentOf(4_000);
    const { id } = await start(service, 4_000);
    const codes = await Promise.all(
      Array.from({ length: 20 }, (_, n) => service.code(part(sub, id, 0), content.subarray(0, 4_000 - n))),
    );
    expect(codes).toContain('ok');
    expect(await service.kept.parts.arrived(id)).toHaveLength(1);
    const { progress } = await service.granted({ op: 'status', sub, id });
    expect(progress?.offset).toBeGreaterThan(3_980);
  });

  it('verifies a hash if it is told one', async () => {
    const service = await uploadsUnderTest(broker);
    const { id } = await start(service, 100);
    await service.granted(part(sub, id, 0), contentOf(100));
    expect(await service.code(finalizeOf(id, contentOf(99), sub))).toBe('CHECKSUM_MISMATCH');
  });
});
