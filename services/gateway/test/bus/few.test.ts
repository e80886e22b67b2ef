import { describe, expect, it } from 'vitest';
import { Few } from '../../src/bus/few.ts';

describe('Few', () => {
  it.each([1, 3, 16, 17, 100])('holds each of %i things once, in their order', (count) => {
    const few = new Few<number>();
    const all = Array.from({ length: count }, (_, index) => index);
    for (const item of [...all, ...all]) few.add(item);
    expect([...few]).toEqual(all);
    expect(few.size).toBe(count);
    expect(few.has(count - 1)).toBe(true);
    expect(few.has(count)).toBe(false);
  });

  it.each([1, 3, 17])('is empty once all %i things are gone', (count) => {
    const few = new Few<number>();
    for (let item = 0; item < count; item += 1) few.add(item);
    expect(few.delete(count)).toBe(false);
    for (let item = 0; item < count; item += 1) expect(few.delete(item)).toBe(true);
    expect(few.delete(0)).toBe(false);
    expect([...few]).toEqual([]);
    few.add(7);
    expect([...few]).toEqual([7]);
  });

  it.each([3, 17])('may lose each of %i things while it is looked through', (count) => {
    const few = new Few<number>();
    for (let item = 0; item < count; item += 1) few.add(item);
    const seen: number[] = [];
    for (const item of few) {
      seen.push(item);
      few.delete(item);
    }
    expect(seen).toHaveLength(count);
    expect(few.size).toBe(0);
  });
});
