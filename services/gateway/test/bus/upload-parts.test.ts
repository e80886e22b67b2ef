import type { StoredPart, UploadProgress, UploadsRequest } from '@natter/proto';
import { BusError } from '@natter/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UploadParts } from '../../src/bus/upload-parts.ts';
import type { UploadsAnswer } from '../../src/bus/uploads-client.ts';

const FILE = '6f1c3a2e-5b7d-4c89-9a01-23456789abcd';
const MIB = 1_048_576;
const NONE = new Uint8Array();

type Settle = Extract<UploadsRequest, { op: 'settle' }>;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** An uploads service that knows one upload of alice's, and CHUNKS. */
function rig(more: Partial<UploadProgress> = {}) {
  const progress: UploadProgress = {
    ...{ id: FILE, name: 'a.txt', conversation: null, size: 100 * MIB, mode: 'indexed' },
    ...{ received: [], totalChunks: null, offset: 0, expiresAt: 1_000_000 },
    ...more,
  };
  const self = {
    progress,
    /** What the service would name. */
    parts: [] as StoredPart[],
    stored: [] as { subject: string; id: string; data: string }[],
    settled: [] as Settle[],
    failures: [] as unknown[],
    store: async () => undefined as unknown,
    answer: (_request: Settle): UploadsAnswer | null => null,
    /** Before it answers. */
    before: async () => undefined as unknown,
    now: 0,
    init: () => parts.know('alice', { ok: true, progress, parts: [], bytes: NONE }),
    put: (index: number, data: string | Uint8Array = 'bytes', sub = 'alice', total: number | null = null) =>
      parts.put({ sub, id: FILE, position: { index, total } }, Buffer.from(data as string)),
  };
  const parts = new UploadParts({
    bus: {
      bulk: {
        append: async (subject, data, { id }) => {
          await self.store();
          self.stored.push({ subject, id, data: Buffer.from(data.subarray(0, 16)).toString() });
          return { seq: 1, duplicate: false };
        },
      },
    },
    ask: async (request) => {
      await null;
      if (request.op !== 'settle') throw new Error(`nothing else is asked: ${request.op}`);
      self.settled.push(request);
      await self.before();
      const answer = self.answer(request);
      if (answer !== null) return answer;
      if (request.sub !== 'alice') return { ok: false, code: 'UPLOAD_NOT_FOUND', bytes: NONE };
      self.parts.push(...request.stored);
      return {
        ok: true,
        progress: { ...self.progress, totalChunks: request.total },
        parts: self.parts,
        bytes: NONE,
      };
    },
    storeTimeoutMs: 8_000,
    now: () => self.now,
    onFailure: (error) => void self.failures.push(error),
  });
  return Object.assign(self, { all: parts });
}

const codeOf = (answer: UploadsAnswer) => (answer.ok ? 'ok' : answer.code);

describe('a part', () => {
  it('goes to CHUNKS at once where its upload is known, under a name of its own', async () => {
    const one = rig();
    one.init();
    const bytes = Buffer.from('bytes');
    const answer = one.put(3, bytes);
    bytes.fill('x');
    expect(await answer).toMatchObject({ ok: true, progress: { received: [3], offset: 5 } });
    await one.put(3);
    expect(one.stored).toMatchObject([
      { subject: `chunk.${FILE}.3-5`, data: 'bytes' },
      { subject: `chunk.${FILE}.3-5`, data: 'bytes' },
    ]);
    expect(one.stored[0]?.id).not.toBe(one.stored[1]?.id);
    expect(one.settled).toEqual([]);
  });

  it('of an upload that began elsewhere is stored once the uploads service has told of it', async () => {
    const one = rig();
    one.parts = [{ at: 0, length: 7 }];
    const bytes = Buffer.from('bytes');
    const answer = one.put(1, bytes);
    bytes.fill('x');
    expect(await answer).toMatchObject({ ok: true, progress: { received: [0, 1], offset: 12 } });
    await one.put(2);
    expect(one.settled).toEqual([{ op: 'settle', sub: 'alice', id: FILE, total: null, stored: [] }]);
    expect(one.stored[0]?.data).toBe('bytes');
  });

  it('of another user’s upload is not stored, known as it may be', async () => {
    const one = rig();
    one.init();
    expect(codeOf(await one.put(0, 'bytes', 'bob'))).toBe('UPLOAD_NOT_FOUND');
    expect(one.stored).toEqual([]);
  });

  it('that names a total first has it agreed on before it is stored', async () => {
    const one = rig();
    one.init();
    one.answer = ({ total }) => (total === 5 ? { ok: false, code: 'CHUNK_INVALID', bytes: NONE } : null);
    expect(codeOf(await one.put(0, 'bytes', 'alice', 5))).toBe('CHUNK_INVALID');
    expect(one.stored).toEqual([]);
    expect(codeOf(await one.put(0, 'bytes', 'alice', 4))).toBe('ok');
    expect(codeOf(await one.put(1, 'bytes', 'alice', 4))).toBe('ok');
    expect(one.settled.map(({ total }) => total)).toEqual([5, 4]);
  });

  it('that would be too much is judged by what the uploads service knows now', async () => {
    const one = rig({ size: 10 });
    one.init();
    await one.put(0, '123456');
    expect(codeOf(await one.put(1, '12345'))).toBe('FILE_SIZE_MISMATCH');
    expect(one.settled).toHaveLength(1);
    // Meanwhile another gateway has replaced the first one.
    one.answer = () => ({ ok: true, progress: one.progress, parts: [{ at: 0, length: 5 }], bytes: NONE });
    expect(codeOf(await one.put(1, '12345'))).toBe('ok');
    expect(one.stored).toHaveLength(2);
  });

  it('that can not be stored in time is UNAVAILABLE, and so it is in a full stream', async () => {
    const one = rig();
    one.init();
    for (const code of ['UNAVAILABLE', 'REFUSED'] as const) {
      one.store = () => Promise.reject(new BusError(code, 'no'));
      await expect(one.put(0)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    }
    // It may be there all the same.
    await vi.advanceTimersByTimeAsync(1_000);
    expect(one.settled[0]?.stored).toHaveLength(2);
  });

  it('is refused at once while 256 MiB are on their way, whoever sends them', async () => {
    const one = rig({ size: 2 ** 40 });
    one.init();
    const stored = Promise.withResolvers<void>();
    one.store = () => stored.promise;
    const large = new Uint8Array(64 * MIB);
    const answers = [1, 2, 3, 4].map((index) => one.put(index, large));
    await expect(one.put(5, 'x')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    stored.resolve();
    expect((await Promise.all(answers)).map(codeOf)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(codeOf(await one.put(5, 'x'))).toBe('ok');
  });
});

describe('the uploads service', () => {
  it('hears of parts a second later, or after 8 MiB', async () => {
    const one = rig();
    one.init();
    await one.put(0);
    await one.put(1);
    await vi.advanceTimersByTimeAsync(999);
    expect(one.settled).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(one.settled.map(({ stored }) => stored)).toEqual([
      [
        { at: 0, length: 5 },
        { at: 1, length: 5 },
      ],
    ]);
    for (let index = 2; index < 10; index += 1) await one.put(index, new Uint8Array(MIB));
    await vi.advanceTimersByTimeAsync(1);
    expect(one.settled[1]?.stored).toHaveLength(8);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(one.settled).toHaveLength(2);
  });

  it('decides at once where a part came in another length, and which of them counts', async () => {
    const one = rig();
    one.init();
    await one.put(0, '123456');
    one.answer = () => ({ ok: true, progress: one.progress, parts: [{ at: 0, length: 3 }], bytes: NONE });
    expect(await one.put(0, '123')).toMatchObject({ ok: true, progress: { offset: 3 } });
    one.answer = () => ({ ok: true, progress: one.progress, parts: [], bytes: NONE });
    expect(codeOf(await one.put(0, '12'))).toBe('FILE_SIZE_MISMATCH');
  });

  it('says of an upload that ended elsewhere that it is over; later parts are not stored', async () => {
    const one = rig();
    one.init();
    await one.put(0);
    one.answer = () => ({ ok: false, code: 'UPLOAD_NOT_FOUND', bytes: NONE });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(codeOf(await one.put(1))).toBe('UPLOAD_NOT_FOUND');
    expect(one.stored).toHaveLength(1);
  });

  it('is asked again until it has heard, and each failure is told', async () => {
    const one = rig();
    one.init();
    await one.put(0);
    one.answer = () => {
      throw new BusError('UNAVAILABLE', 'nobody');
    };
    await vi.advanceTimersByTimeAsync(2_000);
    expect(one.failures).toHaveLength(2);
    one.answer = () => null;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(one.settled.at(-1)?.stored).toEqual([{ at: 0, length: 5 }]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(one.settled).toHaveLength(3);
  });

  it('that is slow is asked once more for all parts that were stored meanwhile', async () => {
    const one = rig();
    one.init();
    const slow = Promise.withResolvers<void>();
    one.before = () => slow.promise;
    for (let index = 0; index < 300; index += 1) {
      await one.put(index);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(one.settled).toHaveLength(1);
    one.before = async () => undefined;
    slow.resolve();
    await vi.advanceTimersByTimeAsync(10_000);
    const told = one.settled.map(({ stored }) => stored.length);
    expect(told.reduce((sum, length) => sum + length, 0)).toBe(300);
    expect(told.length).toBeLessThanOrEqual(3);
  });

  it('that hears nothing is not waited for without end: then no more parts of the upload are stored', async () => {
    const one = rig();
    one.init();
    one.answer = () => {
      throw new BusError('UNAVAILABLE', 'nobody');
    };
    // The same part again and again, which no size and no total refuses.
    for (let times = 0; times < 1_024; times += 1) await one.put(0);
    await expect(one.put(0)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(one.stored).toHaveLength(1_024);
    one.answer = () => null;
    one.settled.length = 0;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(one.settled.flatMap(({ stored }) => stored)).toHaveLength(1_024);
    expect(codeOf(await one.put(0))).toBe('ok');
  });

  it('hears of all of them before the gateway stops, however many there are', async () => {
    const one = rig();
    one.init();
    one.answer = () => {
      throw new BusError('UNAVAILABLE', 'nobody');
    };
    for (let index = 0; index < 600; index += 1) await one.put(index);
    await vi.advanceTimersByTimeAsync(1);
    one.answer = () => null;
    one.settled.length = 0;
    await one.all.settled();
    expect(new Set(one.settled.flatMap(({ stored }) => stored.map(({ at }) => at))).size).toBe(600);
  });

  it('hears of all of them before the gateway stops', async () => {
    const one = rig();
    one.init();
    await one.put(0);
    await one.all.settled();
    expect(one.settled).toHaveLength(1);
  });
});

describe('the end of an upload', () => {
  const over: UploadsAnswer = { ok: true, bytes: NONE };
  const refused: UploadsAnswer = { ok: false, code: 'UPLOAD_NOT_FOUND', bytes: NONE };

  it('leaves nothing to tell', async () => {
    const one = rig();
    one.init();
    await one.put(0);
    await one.all.whileEnding('alice', FILE, async () => over);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(one.settled).toEqual([]);
    one.answer = () => refused;
    expect(codeOf(await one.put(1))).toBe('UPLOAD_NOT_FOUND');
  });

  it('that came to nothing leaves to tell what was stored: its upload may be gone', async () => {
    const one = rig();
    one.init();
    await one.put(0);
    expect(await one.all.whileEnding('alice', FILE, async () => refused)).toBe(refused);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(one.settled.map(({ stored }) => stored)).toEqual([[{ at: 0, length: 5 }]]);
  });

  it('is told to whoever has a part on its way', async () => {
    const one = rig();
    one.init();
    const stored = Promise.withResolvers<void>();
    one.store = () => stored.promise;
    const answer = one.put(0);
    await one.all.whileEnding('alice', FILE, async () => over);
    one.answer = () => refused;
    stored.resolve();
    expect(codeOf(await answer)).toBe('UPLOAD_NOT_FOUND');
    expect(one.settled.map((request) => request.stored)).toEqual([[{ at: 0, length: 5 }]]);
  });
});
