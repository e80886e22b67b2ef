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
  send,
  upload,
  uploadsUnderTest,
} from '../uploads-under-test.ts';

let broker: NatsServer;
beforeAll(async () => {
  broker = await brokerWithTopology();
});
afterAll(() => broker.stop());

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

  it('[files/expiry] is not there any more once it has expired', async () => {
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

  it('is gone after a delete, in every stream and bucket, but for the end of its upload', async () => {
    const service = await uploadsUnderTest(broker);
    const before = await everything(service.bus);
    const file = await upload(service, contentOf(2_000_000));
    await service.kept.conversations.putText(CONVERSATION, { id: file.id, name: 'n', text: 'some text' });
    await service.granted({ op: 'delete', id: file.id });
    // What keeps it from coming back.
    const ended = `$KV.uploads.alice.${file.id}`;
    expect(await everything(service.bus)).toEqual([...before, ended].sort());
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
