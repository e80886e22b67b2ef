import { expect, it } from 'vitest';
import { SeenLines } from '../../../src/bus/logs/seen-lines.ts';

it('remembers no more of long subjects than of short ones, and what was seen stays seen', () => {
  const seen = new SeenLines();
  seen.beginAt(0);
  const subject = (seq: number) => `log.${String(seq).padStart(4_000, '0')}.info.general`;
  for (let seq = 1; seq <= 1_000; seq += 1) seen.add(subject(seq), seq);
  for (let seq = 1; seq <= 1_000; seq += 1) expect(seen.has(subject(seq), seq)).toBe(true);
  // Forgotten with the first ones; behind what was forgotten a gap still shows.
  expect(seen.gapBefore(subject(1), 100)).toBeNull();
  expect(seen.gapBefore(subject(1), 1_001)).not.toBeNull();
});
