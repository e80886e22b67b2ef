import { expect, it } from 'vitest';
import { FuzzRun } from '../../src/fuzz/fuzz-run.ts';
import { seedOf } from '../../src/fuzz/seed.ts';
import type { FuzzTarget } from '../../src/fuzz/targets/fuzz-target.ts';
import { DIALECT_NAMES, fuzzTarget, READER_NAMES } from '../../src/fuzz/targets/registry.ts';

const FRAMES = 2_000;
/** Nothing takes any time. */
const STILL = () => 0;

/** Reads the first byte, and has what is wrong with it by its own rules. */
function targetWith(more: Partial<FuzzTarget>): FuzzTarget {
  const seeds = [seedOf('{"type":"message","message":"Hi"}')];
  return { name: 'test', seeds, read: (bytes) => bytes[0], problem: () => null, ...more };
}

it.each([...DIALECT_NAMES, ...READER_NAMES])('%s holds a few thousand hostile frames', (name) => {
  const run = new FuzzRun(fuzzTarget(name), 1, STILL);
  run.block(0, FRAMES);
  expect(run.totals).toMatchObject({ frames: FRAMES, crashes: 0, outOfBounds: 0, findings: [] });
});

it('makes the frame of a crash as short as it can be', () => {
  const read = (bytes: Uint8Array) => {
    if (Buffer.from(bytes).includes('__proto__')) throw new Error('bad key');
  };
  const run = new FuzzRun(targetWith({ read }), 1, STILL);
  run.block(3, FRAMES);
  expect(run.totals.crashes).toBeGreaterThan(0);
  const [first] = run.totals.findings;
  expect(first).toMatchObject({ what: 'crash', why: 'Error: bad key', block: 3, isBinary: false });
  expect(Buffer.from(first?.frame ?? '', 'base64').toString()).toBe('__proto__');
});

it('tells what is out of bounds, and an Object.prototype that somebody wrote to', () => {
  const problem = (_result: unknown, bytes: Uint8Array) => (bytes.length > 40 ? 'too long' : null);
  const bounds = new FuzzRun(targetWith({ problem }), 1, STILL);
  bounds.block(0, FRAMES);
  expect(bounds.totals.outOfBounds).toBeGreaterThan(0);
  expect(Buffer.from(bounds.totals.findings[0]?.frame ?? '', 'base64')).toHaveLength(41);

  const read = () => Reflect.set(Object.prototype, 'polluted', 1);
  const polluting = new FuzzRun(targetWith({ read }), 1, STILL);
  try {
    polluting.block(0, 1);
  } finally {
    Reflect.deleteProperty(Object.prototype, 'polluted');
  }
  expect(polluting.totals.findings[0]?.why).toBe('Object.prototype has polluted');
});
