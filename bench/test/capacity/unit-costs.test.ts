import { expect, it } from 'vitest';
import { collectUnitCosts, UNIT_COSTS } from '../../src/capacity/unit-costs.ts';
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
