import { randomUUID } from 'node:crypto';
import { partName, type StoredPart, SUBJECTS } from '@natter/proto';
import type { NatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PartRequest } from '../put-part.ts';
import {
  begin,
  brokerWithTopology,
  chunkOf,
  contentOf,
  finalizeOf,
  send,
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
const part = (sub: string, id: string, offset: number): PartRequest => ({
  ...{ op: 'chunk', sub, id },
  position: { offset },
});

/** Past all that a gateway looks at: as one that knows less than it might. */
async function store(
  service: UploadsUnderTest,
  id: string,
  at: number,
  bytes: Uint8Array,
): Promise<StoredPart> {
  const stored = { at, length: bytes.length };
  await service.gateway.append(SUBJECTS.chunk(id, partName(stored)), bytes, { id: randomUUID() });
  return stored;
}

const settleOf = (id: string, stored: StoredPart[], sub = 'alice') =>
  ({ op: 'settle', sub, id, total: null, stored }) as const;

describe('a part', () => {
  it.each([
    ['a total above all limits', chunkOf('', 0, 1_025), 'CHUNK_INVALID'],
    ['a total that differs from the first one', chunkOf('', 0, 3), 'CHUNK_INVALID'],
    ['one of another user', chunkOf('', 0, 2, 'bob'), 'UPLOAD_NOT_FOUND'],
  ] as const)('is refused before it is stored: %s', async (_name, request, code) => {
    const service = await uploadsUnderTest(broker);
    const { id } = await begin(service, 4 * KIB);
    await service.granted(chunkOf(id, 1, 2), contentOf(KIB));
    expect(await service.code({ ...request, id }, contentOf(10))).toBe(code);
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
    const { parts } = await service.granted(chunkOf(id, 1), contentOf(2 * KIB));
    expect(parts).toEqual([{ at: 0, length: 2 * KIB }]);
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
    await service.granted({ op: 'cancel', sub: 'alice', id });
    const stored = await store(service, id, 0, contentOf(KIB));
    expect(await service.code(settleOf(id, [stored]))).toBe('UPLOAD_NOT_FOUND');
    expect(await service.kept.parts.arrived(id)).toEqual([]);
  });

  it('is taken away again when its upload became a file, or was refused meanwhile', async () => {
    const service = await uploadsUnderTest(broker);
    for (const [sent, result] of [
      [contentOf(KIB), 'ok'],
      [contentOf(KIB, 2), 'CHECKSUM_MISMATCH'],
    ] as const) {
      const id = await send(service, sent, KIB);
      expect(await service.code(finalizeOf(id, contentOf(KIB)))).toBe(result);
      const stored = await store(service, id, 0, contentOf(KIB));
      const code = result === 'ok' ? 'UPLOAD_NOT_FOUND' : result;
      expect(await service.code(settleOf(id, [stored]))).toBe(code);
      expect(await service.kept.parts.arrived(id)).toEqual([]);
    }
  });

  it('that a gateway took without knowing the total goes where it is none of the file', async () => {
    const service = await uploadsUnderTest(broker);
    const { id } = await begin(service, 2 * KIB);
    await service.granted(chunkOf(id, 0, 2), contentOf(KIB));
    const stored = await store(service, id, 7, contentOf(KIB));
    const { progress, parts } = await service.granted(settleOf(id, [stored]));
    expect([progress?.received, parts]).toEqual([[0], [{ at: 0, length: KIB }]]);
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
    const beyond = await service.granted(part(sub, id, 2_000), contentOf(3_001));
    expect(beyond.progress?.offset).toBe(2_000);
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
    await store(service, id, 0, content.subarray(0, 1_500));
    await service.granted(part(sub, id, 1_500), content.subarray(1_500, 1_600));
    await store(service, id, 0, content.subarray(0, 3_000));
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
