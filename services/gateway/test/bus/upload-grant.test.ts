import type { UploadProgress } from '@natter/proto';
import { describe, expect, it } from 'vitest';
import { type PartPosition, UploadGrant } from '../../src/bus/upload-grant.ts';

const FILE = '6f1c3a2e-5b7d-4c89-9a01-23456789abcd';
const part = (at: number, length: number) => ({ at, length });

function progressOf(more: Partial<UploadProgress> = {}): UploadProgress {
  return {
    ...{ id: FILE, name: 'a.txt', conversation: null, size: 100, mode: 'indexed' },
    ...{ received: [], totalChunks: null, offset: 0, expiresAt: 1_000 },
    ...more,
  };
}

const indexed = (parts = [] as { at: number; length: number }[], more: Partial<UploadProgress> = {}) =>
  new UploadGrant('alice', progressOf(more), parts);
const sequential = (offset: number, parts = [part(0, offset)]) =>
  new UploadGrant('alice', progressOf({ mode: 'sequential', offset }), parts);

const code = (grant: UploadGrant, position: PartPosition, length: number, now = 0) => {
  const judged = grant.judge(position, length, now);
  return judged.ok ? 'ok' : `${judged.code}${judged.stale ? '?' : ''}`;
};
const at = (index: number, total: number | null = null) => ({ index, total });

/** One that is stored at once. */
function store(grant: UploadGrant, position: PartPosition, length: number): boolean {
  const judged = grant.judge(position, length, 0);
  if (!judged.ok) throw new Error(judged.code);
  grant.take(judged.part);
  return grant.landed(judged.part, true);
}

describe('a part of an indexed upload', () => {
  it.each([
    ['an empty one', at(0), 0, 'CHUNK_INVALID'],
    ['an index outside of the total', at(2), 1, 'CHUNK_INVALID'],
    ['another total', at(1, 3), 1, 'CHUNK_INVALID'],
    ['a total above all limits', at(0, 1_025), 1, 'CHUNK_INVALID'],
    ['an offset', { offset: 0 }, 1, 'CHUNK_INVALID'],
    ['more bytes than the file', at(1), 101, 'FILE_SIZE_MISMATCH'],
    ['more bytes than the file has left', at(1), 61, 'FILE_SIZE_MISMATCH?'],
  ])('is refused: %s', (_name, position, length, refusal) => {
    expect(code(indexed([part(0, 40)], { totalChunks: 2 }), position, length)).toBe(refusal);
  });

  it('is refused with an index above all limits where nobody has said how many there are', () => {
    expect(code(indexed(), at(1_024), 1)).toBe('CHUNK_INVALID');
    expect(code(indexed(), at(1_023), 1)).toBe('ok');
  });

  it('finds no upload once it has expired', () => {
    expect(code(indexed(), at(0), 1, 1_000)).toBe('UPLOAD_NOT_FOUND');
    expect(code(indexed(), at(0), 1, 999)).toBe('ok');
  });

  it('counts as soon as it is on its way, once for all tries of its index', () => {
    const grant = indexed([part(0, 40)]);
    grant.take(part(1, 50));
    expect([code(grant, at(2), 11), code(grant, at(2), 10), code(grant, at(1), 60)]).toEqual([
      'FILE_SIZE_MISMATCH?',
      'ok',
      'ok',
    ]);
    const lost = part(2, 10);
    grant.take(lost);
    expect(grant.landed(lost, false)).toBe(false);
    expect(code(grant, at(3), 10)).toBe('ok');
  });

  it('takes the place of the one before', () => {
    const grant = indexed([part(0, 40), part(1, 60)]);
    expect(code(grant, at(1), 61)).toBe('FILE_SIZE_MISMATCH?');
    expect(store(grant, at(1), 60)).toBe(false);
    expect(grant.progress).toMatchObject({ received: [0, 1], offset: 100 });
    expect(store(grant, at(0), 30)).toBe(true);
    expect(grant.progress.offset).toBe(90);
    expect([grant.has(part(0, 30)), grant.has(part(0, 40))]).toEqual([true, false]);
  });

  it('is to be settled at once where another try of another length is on its way', () => {
    const grant = indexed();
    const [one, other] = [part(0, 10), part(0, 11)];
    grant.take(one);
    grant.take(other);
    expect([grant.landed(one, true), grant.landed(other, true)]).toEqual([true, true]);
  });

  it('is told of with all that arrived elsewhere, as far as that is known', () => {
    const grant = indexed();
    store(grant, at(2), 10);
    expect(grant.progress).toMatchObject({ received: [2], offset: 10 });
    const progress = progressOf({ totalChunks: 4 });
    grant.update({ progress, parts: [part(0, 20), part(0, 30), part(2, 10)] }, [part(3, 5)]);
    expect(grant.progress).toMatchObject({ received: [0, 2, 3], offset: 45, totalChunks: 4 });
    expect([grant.needsTotal(at(0, 4)), indexed().needsTotal(at(0, 4)), indexed().needsTotal(at(0))]).toEqual(
      [false, true, false],
    );
  });
});

describe('a part of a sequential upload', () => {
  it('begins where those before it end', () => {
    const grant = sequential(20);
    expect([code(grant, { offset: 19 }, 1), code(grant, { offset: 21 }, 1)]).toEqual([
      'UPLOAD_OFFSET_CONFLICT?',
      'UPLOAD_OFFSET_CONFLICT?',
    ]);
    expect([code(grant, { offset: 20 }, 81), code(grant, at(0), 1)]).toEqual([
      'FILE_SIZE_MISMATCH',
      'CHUNK_INVALID',
    ]);
    expect(store(grant, { offset: 20 }, 80)).toBe(false);
    expect(grant.progress).toMatchObject({ received: [], offset: 100 });
  });

  it('is one of 4,096 at most', () => {
    const parts = Array.from({ length: 4_095 }, (_, index) => part(index, 1));
    const grant = new UploadGrant(
      'alice',
      progressOf({ mode: 'sequential', size: 10_000, offset: 4_095 }),
      parts,
    );
    store(grant, { offset: 4_095 }, 1);
    expect(code(grant, { offset: 4_096 }, 1)).toBe('CHUNK_INVALID?');
  });

  it('is to be settled at once where another one came for the same offset', () => {
    const grant = sequential(0, []);
    const [one, other] = [part(0, 10), part(0, 20)];
    grant.take(one);
    grant.take(other);
    expect([grant.landed(one, true), grant.landed(other, true)]).toEqual([true, true]);
    expect(grant.progress.offset).toBe(20);
  });
});
