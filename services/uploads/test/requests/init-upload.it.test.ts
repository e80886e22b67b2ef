import { randomUUID } from 'node:crypto';
import { BusError } from '@natter/runtime';
import type { NatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MOST_ENDED } from '../../src/records/owner-ledger.ts';
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

describe('an upload whose record can not be written', () => {
  it.each([
    ['REFUSED', 'maximum bytes exceeded', 'UNAVAILABLE'],
    ['REFUSED', 'permissions violation', 'INTERNAL'],
    ['UNAVAILABLE', 'no leader', 'UNAVAILABLE'],
  ] as const)('(%s, %s) is refused with %3$s and leaves no place taken', async (busCode, why, code) => {
    const sub = `unwritten-${code}-${busCode}`;
    const service = await uploadsUnderTest(broker);
    const before = await everything(service.bus);
    service.kept.uploads.create = () => Promise.reject(new BusError(busCode, why));
    expect(await service.code(initOf(10, { sub }))).toBe(code);
    expect(await everything(service.bus)).toEqual(before);
  });
});

describe('what is kept of refusals', () => {
  it('is small, whatever the names were', async () => {
    const service = await uploadsUnderTest(broker);
    const more = { name: 'Ä'.repeat(256), fileName: `${'ä'.repeat(120)}.txt`, declaredType: 'text/plain' };
    const id = await send(service, contentOf(10), 10, more);
    await service.code(finalizeOf(id, contentOf(5)));
    const [record] = await service.bus.stored.all('KV_uploads', `$KV.uploads.alice.${id}`);
    expect(record?.data.length).toBeLessThan(400);
  });

  it('is bounded for each owner: the oldest are forgotten, and no place is taken', async () => {
    const service = await uploadsUnderTest(broker);
    const sub = 'refused-often';
    const refused = async () => {
      const id = await send(service, contentOf(10), 10, { sub });
      expect(await service.code(finalizeOf(id, contentOf(5), sub))).toBe('CHECKSUM_MISMATCH');
      return id;
    };
    const first = await refused();
    const second = await refused();
    const drop = (id: string) => service.kept.uploads.remove(sub, id);
    for (let count = 2; count < MOST_ENDED; count += 1)
      await service.kept.ledger.end(sub, randomUUID(), drop);
    expect(await service.code({ op: 'status', sub, id: first })).toBe('CHECKSUM_MISMATCH');
    const last = await refused();
    const statuses = [first, second, last].map((id) => service.code({ op: 'status', sub, id }));
    expect(await Promise.all(statuses)).toEqual([
      'UPLOAD_NOT_FOUND',
      'CHECKSUM_MISMATCH',
      'CHECKSUM_MISMATCH',
    ]);
    expect(await service.kept.ledger.files(sub)).toEqual([]);
  });
});

describe('the quota', () => {
  it('of unfinished uploads is one of its own; finishing one makes room', async () => {
    const service = await uploadsUnderTest(broker, { unfinishedBytes: 2 * KIB });
    const sub = 'quota-unfinished';
    const [one] = [await send(service, contentOf(KIB), KIB, { sub }), await begin(service, KIB, { sub })];
    expect(await service.ask(initOf(1, { sub }))).toEqual({
      ...{ ok: false, code: 'QUOTA_EXCEEDED', detail: 'unfinished uploads' },
    });
    await service.granted(finalizeOf(one, contentOf(KIB), sub));
    expect(await service.code(initOf(KIB, { sub }))).toBe('ok');
    expect(await service.code(initOf(1, { sub }))).toBe('QUOTA_EXCEEDED');
  });

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
