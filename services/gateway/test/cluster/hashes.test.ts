import { describe, expect, it } from 'vitest';
import { hash53, packHashes, unpackHashes } from '../../src/cluster/hashes.ts';

describe('hashes', () => {
  it('come back as they went', () => {
    const { hashes, count } = packHashes(['alice', 'bob', ''], 10);
    expect(count).toBe(3);
    expect([...unpackHashes(hashes)]).toEqual([hash53('alice'), hash53('bob'), hash53('')]);
  });

  it('above the limit are counted and left out', () => {
    const { hashes, count } = packHashes(['a', 'b', 'c'], 2);
    expect(count).toBe(3);
    expect(unpackHashes(hashes)).toHaveLength(2);
  });

  it('differ for 100,000 texts that are much alike', () => {
    const seen = new Set(Array.from({ length: 100_000 }, (_, index) => hash53(`user-${index}`)));
    expect(seen.size).toBe(100_000);
    for (const hash of seen) expect(Number.isSafeInteger(hash) && hash >= 0).toBe(true);
  });

  it('of garbage are no hashes, and no error', () => {
    expect([...unpackHashes('!!')]).toEqual([]);
  });
});
