import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../src/session/rate-limit.ts';

const START = 1_700_000_000_000;

describe('RateLimit', () => {
  it('allows exactly the limit in a burst', () => {
    const rate = new RateLimit(100, 60);
    const waits = Array.from({ length: 130 }, () => rate.take(START));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(100);
    expect(waits[100]).toBe(60);
  });

  it('does not let a burst on both sides of a window edge through', () => {
    const rate = new RateLimit(10, 60);
    for (let frame = 0; frame < 10; frame += 1) rate.take(START + 59_000);
    const later = Array.from({ length: 10 }, () => rate.take(START + 61_000));
    expect(later.every((wait) => wait > 0)).toBe(true);
  });

  it('gives room back as the older window slides out', () => {
    const rate = new RateLimit(10, 60);
    for (let frame = 0; frame < 10; frame += 1) rate.take(START);
    const atHalf = Array.from({ length: 10 }, () => rate.take(START + 90_000));
    expect(atHalf.filter((wait) => wait === 0)).toHaveLength(5);
  });

  it('starts anew after a pause of two windows', () => {
    const rate = new RateLimit(10, 60);
    for (let frame = 0; frame < 20; frame += 1) rate.take(START);
    const later = Array.from({ length: 10 }, () => rate.take(START + 120_000));
    expect(later.every((wait) => wait === 0)).toBe(true);
  });
});
