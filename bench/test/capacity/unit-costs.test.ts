import { expect, it } from 'vitest';
import { collectUnitCosts, sourcesOf, UNIT_COSTS } from '../../src/capacity/unit-costs.ts';
import { figureReport, type Report } from '../../src/report/report.ts';

function reportOf(ids: readonly string[], value: number): Report {
  const measurements = ids.map((id) => ({ id, label: id, value, unit: 'µs' }));
  const about = {
    name: 'all',
    title: 'All',
    startedAt: 'today',
    commit: 'abc',
    size: 'full' as const,
    seconds: 1,
  };
  return {
    machine: { cpu: 'a CPU', cores: 2, memoryMb: 1, kernel: '6', load: 0 },
    versions: {},
    figures: [figureReport(about, { measurements, cores: [], details: {} })],
  } as unknown as Report;
}

const all = Object.values(UNIT_COSTS).map(({ id }) => id);

it('takes each cost from the first result that has it', () => {
  const { costs } = collectUnitCosts([reportOf(['idle.cpu'], 1), reportOf(all, 2)]);
  expect([costs.idleMicros.value, costs.connects.value]).toEqual([1, 2]);
  expect(costs.connects).toMatchObject({ id: 'connect.distinct', commit: 'abc', size: 'full' });
});

it('names every measurement that is missing', () => {
  const some = all.filter((id) => id !== 'broker.event' && id !== 'idle.rss');
  expect(() => collectUnitCosts([reportOf(some, 1)])).toThrow('no result has idle.rss, broker.event');
});

it('says of which run the costs of each figure are, and which are older than the last', () => {
  const older = reportOf(['idle.cpu', 'idle.rss'], 1);
  for (const figure of older.figures) Object.assign(figure, { startedAt: '2026-11-20', commit: 'old' });
  const last = reportOf(all, 2);
  for (const figure of last.figures) figure.startedAt = '2026-11-22';
  const [idle, others] = sourcesOf(collectUnitCosts([older, last]), '2026-11-21');
  expect(idle).toBe('idle: of old, full, older than the last run (2026-11-20)');
  expect(others).toMatch(/^growth, ready, connect, .*: of abc, full$/);
});
