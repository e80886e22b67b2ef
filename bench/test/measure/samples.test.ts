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
    expect(distribution(Float64Array.of(10, 9, 100, 1))).toMatchObject({
      count: 4,
      p50: 9,
      p99: 100,
      p999: 100,
      max: 100,
    });
  });
});

describe('Samples', () => {
  it('agrees with the exact percentiles to a thousandth, over five powers of ten', () => {
    const samples = new Samples();
    const values = Float64Array.from({ length: 20_000 }, (_, index) =>
      Math.round(10 ** (1 + (index * 5) / 20_000)),
    );
    for (const value of values) samples.add(value);
    const [counted, exact] = [samples.distribution(), distribution(values)];
    for (const what of ['p50', 'p99', 'p999', 'max'] as const)
      expect(Math.abs(counted[what] / exact[what] - 1)).toBeLessThan(0.0011);
    expect(counted.count).toBe(20_000);
  });

  it('counts what is shorter than a microsecond or longer than an hour as that', () => {
    const samples = new Samples();
    for (const value of [0, 1e12]) samples.add(value);
    expect(samples.distribution()).toMatchObject({ count: 2, p50: 1 });
    expect(samples.distribution().max / 3_600_000_000).toBeCloseTo(1, 2);
  });

  it('gives the curve from the least to the most, rising', () => {
    const { spectrum } = distribution(Float64Array.from(upTo(1_000)));
    expect(spectrum[0]?.[0]).toBe(0);
    expect(spectrum.at(-1)?.[0]).toBe(100);
    const values = spectrum.map(([, value]) => value);
    expect(values).toEqual([...values].sort((a, b) => a - b));
  });

  it('refuses to invent percentiles of nothing', () => {
    expect(() => new Samples().distribution()).toThrow(RangeError);
  });
});

it('joins parts in their order, empty ones included', () => {
  expect([...joined([Float64Array.of(3, 1), new Float64Array(0), Float64Array.of(2)])]).toEqual([3, 1, 2]);
});
