import { describe, expect, it } from 'vitest';
import { parseCoreTimes, parseCpuSeconds, parseMemory, parseRunNanoseconds } from '../../src/measure/proc.ts';

describe('parseCpuSeconds', () => {
  const after = 'S 1 2 2 0 -1 4194560 100 0 0 0 1234 66 7 8 20 0 11 0 5000 1 2';

  it('adds user and system time, and leaves out that of children', () => {
    expect(parseCpuSeconds(`42 (node) ${after}\n`)).toBe(13);
  });

  it('is not fooled by a process named like the fields after its name', () => {
    expect(parseCpuSeconds(`42 (a) S 9 (b c)) ${after}\n`)).toBe(13);
  });

  it('fails on a text that is no stat', () => {
    expect(() => parseCpuSeconds('')).toThrow(/no number/);
  });
});

describe('parseRunNanoseconds', () => {
  it('reads the time on a core, not the time of waiting for one', () => {
    expect(parseRunNanoseconds('92249123 555 1\n')).toBe(92_249_123);
  });
});

describe('parseMemory', () => {
  const rollup = [
    '5622b0b30000-7fff532ad000 ---p 00000000 00:00 0                          [rollup]',
    'Rss:                1672 kB',
    'Pss:                 206 kB',
    'Pss_Dirty:           112 kB',
    '',
  ].join('\n');

  it('reads bytes, and Pss rather than one of its parts', () => {
    expect(parseMemory(rollup)).toEqual({ rss: 1_672 * 1_024, pss: 206 * 1_024 });
  });

  it('fails where a line is missing', () => {
    expect(() => parseMemory(rollup.replace(/^Pss: .*\n/m, ''))).toThrow(/no number/);
  });
});

describe('parseCoreTimes', () => {
  const stat = [
    'cpu  300 0 300 1000 100 0 0 60 5 0',
    'cpu0 100 0 100 600 50 0 10 40 5 0',
    'cpu11 200 0 200 400 50 0 0 20 0 0',
    'intr 1 2 3',
  ].join('\n');

  it('reads each core by its number and passes over the sum of all', () => {
    expect([...parseCoreTimes(stat).keys()]).toEqual([0, 11]);
  });

  it('counts waiting for disks as idle, and guests once', () => {
    expect(parseCoreTimes(stat).get(0)).toEqual({ total: 9, idle: 6.5, steal: 0.4 });
  });

  it('fails on a text without cores', () => {
    expect(() => parseCoreTimes('cpu  1 2 3')).toThrow(/no core/);
  });
});
