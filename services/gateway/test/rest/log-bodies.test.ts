import { expect, it } from 'vitest';
import { LogBodies } from '../../src/rest/log-bodies.ts';

const MIB = 1024 * 1024;

it('holds 16 MiB of one user and 64 MiB of all, and takes more when some have ended', () => {
  const bodies = new LogBodies();
  const ends = ['a', 'b', 'c', 'd'].map((sub) => {
    const own = Array.from({ length: 16 }, () => bodies.begin(sub, MIB));
    expect(own).not.toContain(null);
    expect(bodies.begin(sub, 1)).toBeNull();
    return own;
  });
  expect(bodies.begin('e', MIB)).toBeNull();
  ends[0]?.[0]?.();
  expect(bodies.begin('e', MIB)).not.toBeNull();
  // There is room for this user, and for all there is none.
  expect(bodies.begin('a', 1)).toBeNull();
});

it('counts each body, however short it is', () => {
  const bodies = new LogBodies();
  const ends = Array.from({ length: 4_096 }, () => bodies.begin('a', 0));
  expect(ends).not.toContain(null);
  expect(bodies.begin('a', 0)).toBeNull();
  ends[0]?.();
  expect(bodies.begin('a', 0)).not.toBeNull();
});
