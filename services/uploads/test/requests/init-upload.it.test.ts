import type { NatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  begin,
  brokerWithTopology,
  contentOf,
  everything,
  finalizeOf,
  initOf,
  send,
  upload,
  uploadsUnderTest,
} from '../uploads-under-test.ts';

let broker: NatsServer;
beforeAll(async () => {
  broker = await brokerWithTopology();
});
afterAll(() => broker.stop());

const KIB = 1024;

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
  it('[files/quota] is never exceeded by uploads that begin at once, on two instances', async () => {
    const options = { quotaBytes: 10 * KIB };
    const services = [await uploadsUnderTest(broker, options), await uploadsUnderTest(broker, options)];
    const sub = 'quota-1';
    const codes = await Promise.all(
      Array.from({ length: 24 }, (_, index) => services[index % 2]?.code(initOf(KIB, { sub }))),
    );
    expect(codes.filter((code) => code === 'ok')).toHaveLength(10);
    expect(codes.filter((code) => code === 'QUOTA_EXCEEDED')).toHaveLength(14);
  });

  it('[files/quota] counts finished files, and has room again after a delete, a cancel and a refusal', async () => {
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
