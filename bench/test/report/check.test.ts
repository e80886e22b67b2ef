import { expect, it } from 'vitest';
import type { Measurement } from '../../src/bench.ts';
import { check } from '../../src/report/check.ts';
import { updated } from '../../src/report/record.ts';
import { figureReport, type Report } from '../../src/report/report.ts';

function runOf(measurements: Record<string, Partial<Measurement>[]>, commit = 'new'): Report {
  const calibration = { hashMbPerSecond: 1, echoMicros: 1 };
  const figures = Object.entries(measurements).map(([name, rows]) => {
    const result = {
      measurements: rows.map((row) => ({ id: 'x', label: '', value: 1, unit: '×', ...row })),
      cores: [],
      details: {},
    };
    return figureReport({ name, title: name, startedAt: '', commit, size: 'quick', seconds: 2 }, result);
  });
  return {
    startedAt: '',
    seconds: 0,
    size: 'quick',
    machine: { cpu: '', cores: 2, memoryMb: 1, kernel: '', load: 0 },
    versions: {},
    pinning: '',
    calibration: { before: calibration, after: calibration },
    missing: {},
    warnings: [],
    figures,
  };
}

const higher = (value: number) => runOf({ fanout: [{ id: 'fanout.ratio', value, better: 'higher' }] });
const lower = (value: number) => runOf({ echo: [{ id: 'echo.ratio', value, better: 'lower' }] });

it('[bench/check] finds a ratio that fell by more than a fifth, and lets one just above pass', () => {
  expect(check(higher(0.79), higher(1)).fallen).toEqual([{ id: 'fanout.ratio', was: 1, is: 0.79 }]);
  expect(check(higher(0.81), higher(1)).fallen).toEqual([]);
});

it('takes a ratio that should be low for worse when it rises by a quarter', () => {
  expect(check(lower(1.26), lower(1)).fallen).toHaveLength(1);
  expect(check(lower(1.24), lower(1)).fallen).toEqual([]);
});

it('compares nothing but ratios that both runs have', () => {
  const plain = runOf({ fanout: [{ id: 'fanout.deliveries', value: 1 }] });
  expect(check(plain, plain).compared).toEqual([]);
  expect(check(higher(1), lower(1)).compared).toEqual([]);
});

it('puts the figures of a run into the record, in their order, and keeps the others', () => {
  const record = updated(runOf({ b: [], a: [] }, 'old'), runOf({ a: [] }, 'new'), ['a', 'b']);
  expect(record.figures.map(({ name, commit }) => [name, commit])).toEqual([
    ['a', 'new'],
    ['b', 'old'],
  ]);
  expect(record.seconds).toBe(4);
});

it('keeps the earlier figure in the record where the new one failed, and drops one that is no more', () => {
  const failed = runOf({ a: [] });
  for (const figure of failed.figures) figure.failed = 'no port';
  expect(
    updated(runOf({ a: [], gone: [] }, 'old'), failed, ['a']).figures.map(({ commit }) => commit),
  ).toEqual(['old']);
});
