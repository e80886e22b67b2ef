import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { GOALS } from '../../src/goals.ts';
import { block, performanceFiles } from '../../src/report/performance/document.ts';
import { goalTable, missed, unmeasured } from '../../src/report/performance/goal-table.ts';
import { GOAL_ROWS } from '../../src/report/performance/rows.ts';
import { readRecord } from '../../src/report/record.ts';
import { figureReport, type Report } from '../../src/report/report.ts';

function reportOf(values: Record<string, number>): Report {
  const calibration = { hashMbPerSecond: 400, echoMicros: 60 };
  const head = {
    name: 'all',
    title: 'All',
    startedAt: '',
    commit: 'abc',
    size: 'full' as const,
    seconds: 60,
  };
  const measurements = Object.entries(values).map(([id, value]) => ({
    id,
    label: id,
    value,
    unit: 'ms',
    interval: { low: value - 1, high: value + 1, coverage: 0.96, rounds: 9 },
  }));
  return {
    startedAt: '2026-11-21T00:00:00.000Z',
    seconds: 60,
    size: 'full',
    machine: { cpu: 'a CPU', cores: 2, memoryMb: 24_000, kernel: '6', load: 0 },
    versions: { commit: 'abc', node: 'v22' },
    pinning: 'pinned',
    calibration: { before: calibration, after: calibration },
    missing: { centrifugo: 'it is not on PATH' },
    warnings: [],
    figures: [figureReport(head, { measurements, cores: [], details: {} })],
  };
}

const PAGE =
  '# Speed\n\n<!-- run -->\nold\n<!-- /run -->\n\n<!-- goals -->\n<!-- /goals -->\n\n<!-- pictures -->\n<!-- /pictures -->\n\nThe end.\n';

it('[bench/table] fills in each goal with its value, interval and verdict, and what stands beside it', () => {
  const table = goalTable(reportOf({ 'latency.p50': 2.5, 'latency.p99': 30, 'latency.p99-fastapi': 400 }));
  const row = table.split('\n').find((line) => line.includes('token latency'));
  expect(row).toContain(
    'p50 2.5 ms (1.5 – 3.5) ✓ *unsure*<br>p99 30 ms (29 – 31) **missed**<br>p99 ÷ FastAPI not measured',
  );
  expect(row).toContain('FastAPI p99 400 ms');
});

it('knows what is missed and what was not measured', () => {
  const report = reportOf({ 'latency.p50': 2.5, 'latency.p99': 30 });
  expect(missed(report)).toEqual(['latency.p99']);
  expect(unmeasured(report)).toContain('takeover.p99');
  expect(unmeasured(report)).not.toContain('latency.p50');
});

it('writes into the marked blocks only, and says which peers were missing', () => {
  const files = performanceFiles(PAGE, reportOf({ 'latency.p50': 2.5 }));
  const page = files['performance.md'] as string;
  expect(page.startsWith('# Speed\n\n<!-- run -->\n\n- Machine: 2 × a CPU')).toBe(true);
  expect(page).toContain('- Without centrifugo: it is not on PATH.');
  expect(page).toContain('![Token latency added, 200 streams of 50 tokens/s](performance/latency.svg)');
  expect(page.endsWith('<!-- /pictures -->\n\nThe end.\n')).toBe(true);
  expect(performanceFiles(page, reportOf({ 'latency.p50': 2.5 }))['performance.md']).toBe(page);
  expect(Object.keys(files)).toContain('performance/latency.svg');
});

it('refuses a page without its marks', () => {
  expect(() => block('# Speed', 'goals', 'x')).toThrow(/goals/);
});

it('has a row for every goal that a figure is judged by', () => {
  const shown = new Set(GOAL_ROWS.flatMap(({ parts, beside }) => [...parts, ...beside].map(({ id }) => id)));
  expect(GOALS.map(({ measurement }) => measurement).filter((id) => !shown.has(id))).toEqual([]);
});

it('[bench/misses] says of each missed goal of the record why', () => {
  const root = resolve(import.meta.dirname, '../../..');
  const record = readRecord(resolve(root, 'bench/results/full.json'));
  if (record === null) throw new Error('there is no record');
  const page = readFileSync(resolve(root, 'docs/performance.md'), 'utf8');
  const [, why = ''] = /\n## Missed, and why\n(.*?)\n## /s.exec(page) ?? [];
  // An id, or several: `fanout.*-ratio`.
  const named = [...why.matchAll(/`([a-z-]+\.[a-z0-9*-]+)`/g)].map(
    ([, id]) => new RegExp(`^${(id as string).replaceAll('.', '\\.').replaceAll('*', '.+')}$`),
  );
  expect(missed(record).filter((id) => !named.some((pattern) => pattern.test(id)))).toEqual([]);
});
