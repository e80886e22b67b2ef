import { expect, it } from 'vitest';
import { MAX_MUTANT_BYTES, Mutator } from '../../src/fuzz/mutator.ts';
import { seedOf } from '../../src/fuzz/seed.ts';
import { Xorshift } from '../../src/fuzz/xorshift.ts';

const SEEDS = [
  seedOf('{"type":"chat","data":{"message":"Hi","room_id":null},"message_id":"m-1"}'),
  seedOf('What is the engine power?'),
  seedOf(Buffer.from([1, 2, 3, 4]), true),
  seedOf(`{"chunk_data":"${'QUJD'.repeat(3_000)}"}`),
];
const FRAMES = 20_000;

function frames(seed: number): string[] {
  const mutator = new Mutator(SEEDS, new Xorshift(seed));
  return Array.from({ length: FRAMES }, () => {
    const bytes = mutator.next();
    return `${mutator.isBinary} ${Buffer.from(bytes).toString('latin1')}`;
  });
}

it('makes the same frames of the same seed', () => {
  expect(frames(7)).toEqual(frames(7));
  expect(frames(7)).not.toEqual(frames(8));
});

it('makes frames of many kinds, none above its cap', () => {
  const made = frames(1);
  expect(Math.max(...made.map(({ length }) => length))).toBeLessThanOrEqual(MAX_MUTANT_BYTES + 6);
  const isJson = (text: string) => {
    try {
      return typeof JSON.parse(text) === 'object';
    } catch {
      return false;
    }
  };
  const of = (test: (frame: string) => boolean) => made.filter(test).length;
  // Some are as they were, most of the others are JSON that means something else.
  expect(of((frame) => frame === `false ${SEEDS[0]?.bytes}`)).toBeGreaterThan(20);
  expect(of((frame) => isJson(frame.slice(6)))).toBeGreaterThan(FRAMES / 10);
  for (const part of ['"__proto__"', '\\ud800', '1e999', '[[[[[', '\xff', '"type":"chat","type"'])
    expect([part, of((frame) => frame.includes(part)) > 0]).toEqual([part, true]);
  expect(of((frame) => frame.startsWith('true'))).toBeGreaterThan(1_000);
  expect(new Set(made).size).toBeGreaterThan(FRAMES / 2);
});
