import { describe, expect, it } from 'vitest';
import { MissedRecords } from '../../src/bus/missed-records.ts';
import type { TranscriptEntry } from '../../src/bus/transcript-reader.ts';

const entry = (seq: number, text = 'x') => ({ seq, record: { text } }) as unknown as TranscriptEntry;

/** A conversation whose records have these sequences, and where each read began. */
function conversation(seqs: number[], { page = 500, text = 'x' } = {}) {
  const stored = { seqs: [...seqs], failing: false };
  const reads: number[] = [];
  const since = async (_conversation: string, seq: number, limit: number) => {
    reads.push(seq);
    if (stored.failing) throw new Error('away');
    const found = stored.seqs.filter((one) => one > seq).slice(0, limit);
    return { entries: found.map((one) => entry(one, text)), upTo: found.at(-1) ?? seq };
  };
  const missed = new MissedRecords({ since }, 'a=b', page);
  const seqsSince = async (seq: number) => (await missed.since(seq)).entries.map((one) => one.seq);
  return { stored, reads, missed, seqsSince };
}

describe('MissedRecords', () => {
  it('reads once for all who missed the same, at the same time or after each other', async () => {
    const { reads, missed, seqsSince } = conversation([3, 5, 8]);
    const both = await Promise.all([missed.since(3), missed.since(3)]);
    expect(both.map(({ upTo }) => upTo)).toEqual([8, 8]);
    expect(await seqsSince(3)).toEqual([5, 8]);
    expect(await seqsSince(4)).toEqual([5, 8]);
    expect(await seqsSince(6)).toEqual([8]);
    expect(reads).toEqual([3]);
  });

  it('reads what is older than all it has, and goes on from there', async () => {
    const { reads, seqsSince } = conversation([3, 5, 8]);
    expect(await seqsSince(5)).toEqual([8]);
    expect(await seqsSince(2)).toEqual([3, 5, 8]);
    expect(await seqsSince(5)).toEqual([8]);
    expect(reads).toEqual([5, 2]);
  });

  it('adds what has come since', async () => {
    const { stored, reads, missed, seqsSince } = conversation([3, 5]);
    expect(await seqsSince(0)).toEqual([3, 5]);
    stored.seqs.push(9);
    expect(await missed.since(5)).toMatchObject({ upTo: 9 });
    expect(await seqsSince(3)).toEqual([5, 9]);
    expect(reads).toEqual([0, 5]);
  });

  it('asks the broker again where it had nothing, as a replica may have lagged behind', async () => {
    const { stored, reads, missed, seqsSince } = conversation([3]);
    expect(await missed.since(3)).toEqual({ entries: [], upTo: 3 });
    stored.seqs.push(4);
    expect(await seqsSince(3)).toEqual([4]);
    expect(reads).toEqual([3, 3]);
  });

  it('keeps no page that lies before what it has', async () => {
    const { reads, seqsSince } = conversation([1, 2, 3, 4, 5], { page: 2 });
    expect(await seqsSince(3)).toEqual([4, 5]);
    expect(await seqsSince(0)).toEqual([1, 2]);
    expect(await seqsSince(3)).toEqual([4, 5]);
    expect(reads).toEqual([3, 0]);
  });

  it('keeps the newest 256 records', async () => {
    const all = Array.from({ length: 300 }, (_, index) => index + 1);
    const { reads, seqsSince } = conversation(all);
    expect(await seqsSince(0)).toHaveLength(300);
    expect(await seqsSince(44)).toHaveLength(256);
    expect(await seqsSince(43)).toHaveLength(257);
    expect(reads).toEqual([0, 43]);
  });

  it('keeps 64 Ki characters of their texts', async () => {
    const { reads, seqsSince } = conversation([1, 2, 3], { text: 'x'.repeat(32 * 1024) });
    expect(await seqsSince(0)).toEqual([1, 2, 3]);
    expect(await seqsSince(1)).toEqual([2, 3]);
    expect(await seqsSince(0)).toEqual([1, 2, 3]);
    expect(reads).toEqual([0, 0]);
  });

  it('reads again after a read that failed, and after it was cleared', async () => {
    const { stored, reads, missed, seqsSince } = conversation([3]);
    stored.failing = true;
    await expect(missed.since(0)).rejects.toThrow('away');
    stored.failing = false;
    expect(await seqsSince(0)).toEqual([3]);
    missed.clear();
    expect(await seqsSince(0)).toEqual([3]);
    expect(reads).toEqual([0, 0, 0]);
  });
});
