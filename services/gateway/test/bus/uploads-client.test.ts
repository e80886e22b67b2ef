import { packUpload, SUBJECTS, type UploadsRequest, unpackUpload } from '@natter/proto';
import { BusError } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { UploadsClient } from '../../src/bus/uploads-client.ts';

const FILE = '6f1c3a2e-5b7d-4c89-9a01-23456789abcd';
const STATUS: UploadsRequest = { op: 'status', sub: 'alice', id: FILE };
const INIT: UploadsRequest = {
  ...{ op: 'init', sub: 'alice', name: null, mode: 'sequential' },
  ...{ fileName: 'a.txt', size: 3, declaredType: null, conversation: null },
};

/** A bus on which the first `failures` requests find nobody. */
function busAnswering(reply: Uint8Array, failures = 0) {
  const asked: { subject: string; json: unknown; timeoutMs: number }[] = [];
  const request = async (subject: string, data: Uint8Array | string, timeoutMs: number) => {
    await null;
    asked.push({ subject, json: unpackUpload(data as Uint8Array)?.json, timeoutMs });
    if (asked.length <= failures) throw new BusError('UNAVAILABLE', 'nobody serves uploads.ask');
    return reply;
  };
  const append = () => Promise.reject(new BusError('UNAVAILABLE', 'no broker'));
  return { request, asked, bulk: { append } };
}

const client = (bus: ReturnType<typeof busAnswering>, timeoutMs = 8_000) =>
  new UploadsClient(bus, { timeoutMs, finalizeTimeoutMs: 60_000, now: () => 0, onFailure: () => undefined });

describe('UploadsClient', () => {
  it('asks on the bus', async () => {
    const bus = busAnswering(packUpload({ ok: true }));
    expect(await client(bus).ask(STATUS)).toMatchObject({ ok: true });
    expect(bus.asked).toMatchObject([{ subject: SUBJECTS.uploads, json: STATUS }]);
  });

  it('gives the bytes behind an answer', async () => {
    const bus = busAnswering(packUpload({ ok: true }, Buffer.from('bytes')));
    const { bytes } = await client(bus).ask({ op: 'read', id: FILE, offset: 0, length: 5 });
    expect(Buffer.from(bytes).toString()).toBe('bytes');
  });

  it('asks another service when one says nothing, and waits longer for a finalize', async () => {
    const bus = busAnswering(packUpload({ ok: false, code: 'UPLOAD_NOT_FOUND' }), 2);
    expect(await client(bus).ask(STATUS)).toMatchObject({ ok: false, code: 'UPLOAD_NOT_FOUND' });
    expect(bus.asked).toHaveLength(3);
    for (const { timeoutMs } of bus.asked) expect(timeoutMs).toBeLessThanOrEqual(5_000);
    await client(bus).ask({ op: 'finalize', sub: 'alice', id: FILE, sha256: null });
    expect(bus.asked.at(-1)?.timeoutMs).toBeGreaterThan(8_000);
  });

  it('asks again where a service has too much to do, until the time is up', async () => {
    const bus = busAnswering(packUpload({ ok: false, code: 'UNAVAILABLE' }));
    const answer = client(bus, 60).ask(STATUS);
    await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(bus.asked.length).toBeGreaterThan(1);
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
      await expect(client(busAnswering(reply)).ask(STATUS)).rejects.toThrow();
  });
});
