import { expect, it } from 'vitest';
import type { Measurement } from '../../src/bench.ts';
import { check, confirmed } from '../../src/report/check.ts';
import { checkTable } from '../../src/report/check-table.ts';
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

type Bounds = [low: number, high: number];
const of = (id: string, better: 'higher' | 'lower') => (value: number, bounds?: Bounds) => {
  const interval = bounds && { low: bounds[0], high: bounds[1], coverage: 0.96, rounds: 9 };
  return runOf({ fanout: [{ id, value, better, ...(interval === undefined ? {} : { interval }) }] });
};
const higher = of('fanout.ratio', 'higher');
const lower = of('echo.ratio', 'lower');
const standings = (run: Report, record: Report) =>
  check(run, record).compared.map(({ standing }) => standing);

it('[bench/check] finds a ratio that fell by a fifth, and lets one just above pass', () => {
  expect(standings(higher(0.8), higher(1))).toEqual(['fallen']);
  expect(standings(higher(0.81), higher(1))).toEqual(['held']);
});

it('takes a ratio that should be low for worse when it rises by a quarter', () => {
  expect(standings(lower(1.25), lower(1))).toEqual(['fallen']);
  expect(standings(lower(1.24), lower(1))).toEqual(['held']);
});

it('is unsure of a fall whose interval meets that of the record', () => {
  expect(standings(higher(0.7, [0.5, 0.96]), higher(1, [0.95, 1.1]))).toEqual(['unsure']);
  expect(standings(higher(0.7, [0.5, 0.94]), higher(1, [0.95, 1.1]))).toEqual(['fallen']);
  expect(standings(lower(1.4, [1.05, 2]), lower(1, [0.9, 1.06]))).toEqual(['unsure']);
  expect(standings(lower(1.4, [1.07, 2]), lower(1, [0.9, 1.06]))).toEqual(['fallen']);
});

it('accuses nobody while the machine is busy with others', () => {
  const record = higher(1);
  const first = check(higher(0.7), record);
  const again = (run: Report) => confirmed(first, check(run, record)).compared[0]?.standing;
  const drifted = { ...higher(0.7), warnings: ['the machine changed meanwhile'] };
  const stolenFrom = (stealPercent: number) => {
    const run = higher(0.7);
    for (const figure of run.figures) figure.cores = [{ core: 0, busyPercent: 100, stealPercent }];
    return run;
  };
  expect([again(drifted), again(stolenFrom(2.1)), again(stolenFrom(2))]).toEqual([
    'unsure',
    'unsure',
    'fallen',
  ]);
  // Then it is measured once more all the same.
  expect(standings(drifted, record)).toEqual(['fallen']);
});

it('names what a whole run has not measured, and of a run of some figures only what those lack', () => {
  const record = runOf({
    fanout: [{ id: 'fanout.ratio', better: 'higher' }],
    other: [{ id: 'other.ratio', better: 'lower' }],
  });
  expect(check(higher(1), record).unmeasured).toEqual(['other.ratio']);
  expect(check(higher(1), record, ['fanout']).unmeasured).toEqual([]);
});

it('takes for fallen only what has fallen once more', () => {
  const record = higher(1);
  const first = check(higher(0.7), record);
  const again = (value: number) => confirmed(first, check(higher(value), record)).compared[0]?.standing;
  expect([again(0.75), again(0.95)]).toEqual(['fallen', 'held']);
  // The figure failed: nothing speaks against the first time.
  expect(confirmed(first, check(runOf({ fanout: [] }), record)).compared[0]?.standing).toBe('fallen');
});

it('compares nothing but ratios that both runs have, and names the others of the same figures', () => {
  const plain = runOf({ fanout: [{ id: 'fanout.deliveries', value: 1 }] });
  expect(check(plain, plain).compared).toEqual([]);
  expect(check(higher(1), lower(1))).toEqual({
    compared: [],
    unknown: ['fanout.ratio'],
    unmeasured: ['echo.ratio'],
  });
});

it('says in its table what has fallen from where to where', () => {
  const text = checkTable(check(higher(0.7, [0.65, 0.75]), higher(1, [0.95, 1.1])));
  expect(text).toContain('1 ratios: 1 fell by a fifth or more');
  expect(text).toMatch(/fanout\.ratio +1 \(0\.95 – 1\.1\) +0\.7 \(0\.65 – 0\.75\) +-30% +FALLEN/);
  expect(checkTable(check(higher(1.1), higher(1)))).toContain('+10%');
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

it('keeps doubts about a part of a run with its figures, and those about a whole one above them', () => {
  const whole = { ...runOf({ a: [], b: [] }, 'old'), warnings: ['busy'] };
  const part = { ...runOf({ a: [] }, 'new'), warnings: ['slow'] };
  const record = updated(updated(null, whole, ['a', 'b']), part, ['a', 'b']);
  expect(record.warnings).toEqual(['busy']);
  expect(record.figures.map(({ warnings }) => warnings)).toEqual([['slow'], []]);
});
