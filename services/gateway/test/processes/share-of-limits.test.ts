import { expect, test } from 'vitest';
import { shareOfLimits, shareWithChance } from '../../src/processes/share-of-limits.ts';

test('a share has room for what chance adds, and is never above the whole', () => {
  expect(shareWithChance(2_000, 2)).toBe(1_090);
  expect(shareWithChance(200, 8)).toBe(44);
  expect(shareWithChance(2, 8)).toBe(2);
  expect(shareWithChance(1, 64)).toBe(1);
  expect(shareWithChance(500, 1)).toBe(500);
});

test('nobody within the limit is refused, however the kernel deals', () => {
  let state = 12_345;
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  for (const [limit, of] of [
    [200, 2],
    [200, 16],
    [2_000, 4],
    [5, 4],
  ] as const) {
    for (let crowd = 0; crowd < 200; crowd += 1) {
      const held = new Array<number>(of).fill(0);
      for (let connection = 0; connection < limit; connection += 1) {
        const at = random(of);
        held[at] = (held[at] ?? 0) + 1;
      }
      expect(Math.max(...held)).toBeLessThanOrEqual(shareWithChance(limit, of));
    }
  }
});

test('all connections are divided, other settings stay', () => {
  const limits = {
    maxConnections: 5,
    maxConnectionsPerAddress: 4,
    maxConnectionsPerUser: 3,
    maxLogReaders: 2,
  };
  expect(shareOfLimits({ ...limits, port: 8_000 }, 2)).toEqual({ ...limits, maxConnections: 3, port: 8_000 });
});
