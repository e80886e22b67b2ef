import { packUpload, SUBJECTS, type UploadsRequest, unpackUpload } from '@natter/proto';
import { BusError } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { UploadsClient } from '../../src/bus/uploads-client.ts';

const FILE = '6f1c3a2e-5b7d-4c89-9a01-23456789abcd';
const CHUNK: UploadsRequest = { op: 'chunk', sub: 'alice', id: FILE, position: { offset: 0 } };
const INIT: UploadsRequest = {
  ...{ op: 'init', sub: 'alice', name: null, mode: 'sequential' },
  ...{ fileName: 'a.txt', size: 3, declaredType: null, conversation: null },
};

/** A bus on which the first `failures` requests find nobody. */
function busAnswering(reply: Uint8Array, failures = 0) {
  const asked: { subject: string; json: unknown; part: string; timeoutMs: number }[] = [];
  const request = async (subject: string, data: Uint8Array | string, timeoutMs: number) => {
    await null;
    const { json, bytes } = unpackUpload(data as Uint8Array) ?? { json: null, bytes: new Uint8Array() };
    asked.push({ subject, json, part: Buffer.from(bytes).toString(), timeoutMs });
    if (asked.length <= failures) throw new BusError('UNAVAILABLE', 'nobody serves uploads.ask');
    return reply;
  };
  return { request, asked };
}

const client = (bus: ReturnType<typeof busAnswering>) => new UploadsClient(bus, 8_000, 60_000);

describe('UploadsClient', () => {
  it('sends a part with its request, which may be overwritten at once', async () => {
    const bus = busAnswering(packUpload({ ok: true }));
    const part = Buffer.from('abc');
    const answer = client(bus).ask(CHUNK, part);
    part.fill('x');
    expect(await answer).toMatchObject({ ok: true });
    expect(bus.asked).toMatchObject([{ subject: SUBJECTS.uploads, json: CHUNK, part: 'abc' }]);
  });

  it('gives the bytes behind an answer', async () => {
    const bus = busAnswering(packUpload({ ok: true }, Buffer.from('bytes')));
    const { bytes } = await client(bus).ask({ op: 'read', id: FILE, offset: 0, length: 5 });
    expect(Buffer.from(bytes).toString()).toBe('bytes');
  });

  it('asks another service when one says nothing, and waits longer for a finalize', async () => {
    const bus = busAnswering(packUpload({ ok: false, code: 'UPLOAD_NOT_FOUND' }), 2);
    expect(await client(bus).ask(CHUNK)).toMatchObject({ ok: false, code: 'UPLOAD_NOT_FOUND' });
    expect(bus.asked).toHaveLength(3);
    for (const { timeoutMs } of bus.asked) expect(timeoutMs).toBeLessThanOrEqual(5_000);
    await client(bus).ask({ op: 'finalize', sub: 'alice', id: FILE, sha256: null });
    expect(bus.asked.at(-1)?.timeoutMs).toBeGreaterThan(8_000);
  });

  it('asks again where a service has too much to do, until the time is up', async () => {
    const bus = busAnswering(packUpload({ ok: false, code: 'UNAVAILABLE' }));
    const answer = new UploadsClient(bus, 60, 60).ask(CHUNK);
    await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(bus.asked.length).toBeGreaterThan(1);
  });

  it('holds so many bytes of parts at once, whoever sends them', async () => {
    const bus = busAnswering(packUpload({ ok: true }));
    const stored = Promise.withResolvers<void>();
    const asking = new UploadsClient(
      { request: (...asked) => stored.promise.then(() => bus.request(...asked)) },
      8_000,
      60_000,
    );
    const part = new Uint8Array(64 * 1_048_576);
    const answers = [1, 2, 3, 4].map(() => asking.ask(CHUNK, part));
    await expect(asking.ask(CHUNK, part.subarray(0, 1))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const other = asking.ask({ op: 'status', sub: 'alice', id: FILE });
    stored.resolve();
    expect(await other).toMatchObject({ ok: true });
    expect(await Promise.all(answers)).toHaveLength(4);
    expect(await asking.ask(CHUNK, part.subarray(0, 1))).toMatchObject({ ok: true });
  });

  it('begins an upload once only', async () => {
    const bus = busAnswering(packUpload({ ok: true }), 1);
    await expect(client(bus).ask(INIT)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(bus.asked).toHaveLength(1);
  });

  it('takes no answer of another shape', async () => {
    for (const reply of [
      Buffer.from('{}'),
      packUpload({ ok: 'perhaps' }),
      packUpload({ ok: false, code: 'NONE' }),
    ])
      await expect(client(busAnswering(reply)).ask(CHUNK)).rejects.toThrow();
  });
});
