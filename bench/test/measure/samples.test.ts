import { describe, expect, it } from 'vitest';
import { distribution, joined, percentile, Samples } from '../../src/measure/samples.ts';

const upTo = (count: number) => Float64Array.from({ length: count }, (_, index) => index + 1);

describe('percentile', () => {
  it('is the nearest rank, never a value between two samples', () => {
    expect(percentile(upTo(10), 50)).toBe(5);
    expect(percentile(upTo(10), 51)).toBe(6);
    expect(percentile(upTo(1_000), 99)).toBe(990);
  });

  it('does not skip a rank because 99.9 has no exact binary form', () => {
    expect(percentile(upTo(1_000), 99.9)).toBe(999);
    expect(percentile(upTo(10_000), 99.9)).toBe(9_990);
  });

  it('stays inside the samples at both ends', () => {
    expect(percentile(upTo(3), 0)).toBe(1);
    expect(percentile(upTo(3), 100)).toBe(3);
    expect(percentile(upTo(1), 99.9)).toBe(1);
  });

  it('refuses to invent one for no samples', () => {
    expect(() => percentile(new Float64Array(0), 50)).toThrow(RangeError);
  });
});

describe('distribution', () => {
  it('sorts by number, not by text', () => {
    expect(distribution(Float64Array.of(10, 9, 100, 1))).toEqual({
      count: 4,
      p50: 9,
      p99: 100,
      p999: 100,
      max: 100,
    });
  });
});

describe('Samples', () => {
  it('keeps what fits and counts the rest', () => {
    const samples = new Samples(2);
    for (const value of [3, 1, 2]) samples.add(value);
    expect([samples.count, samples.dropped]).toEqual([2, 1]);
    expect(samples.distribution().max).toBe(3);
  });
});

it('joins parts in their order, empty ones included', () => {
  expect([...joined([Float64Array.of(3, 1), new Float64Array(0), Float64Array.of(2)])]).toEqual([3, 1, 2]);
});
