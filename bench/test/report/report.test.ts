import { describe, expect, it } from 'vitest';
import type { FigureResult, Measurement } from '../../src/bench.ts';
import { GOALS, judge } from '../../src/goals.ts';
import { figureReport } from '../../src/report/report.ts';
import { short } from '../../src/report/table.ts';

const measurement: Measurement = { id: 'latency.p99', label: 'p99', value: 10, unit: 'ms', why: 'busy' };

function resultOf(value: number, cores: FigureResult['cores'] = []): FigureResult {
  return { measurements: [{ ...measurement, value }], cores, details: {} };
}

const figure = {
  name: 'latency',
  title: 'Latency',
  startedAt: '2026-11-21T00:00:00.000Z',
  commit: 'abc',
  size: 'quick' as const,
  seconds: 1,
};

describe('judge', () => {
  it('meets a goal exactly at it, from below and from above', () => {
    expect(judge('latency.p99', 25).verdict).toBe('met');
    expect(judge('latency.p99', 25.01).verdict).toBe('missed');
    expect(judge('agent.tokens', 30_000).verdict).toBe('met');
    expect(judge('agent.tokens', 29_999).verdict).toBe('missed');
  });

  it('says nothing where there is no goal', () => {
    expect(judge('latency.generator-p99', 1e9)).toEqual({ goal: null, verdict: null });
  });

  it('knows one goal for a measurement, with one bound', () => {
    expect(new Set(GOALS.map((goal) => goal.measurement)).size).toBe(GOALS.length);
    for (const { atMost, atLeast } of GOALS)
      expect((atMost === undefined) !== (atLeast === undefined)).toBe(true);
  });

  it('takes a figure that is no number for missed', () => {
    expect(judge('latency.p99', Number.NaN).verdict).toBe('missed');
  });
});

describe('figureReport', () => {
  it('keeps the reason of a missed goal and drops it where the goal is met', () => {
    expect(figureReport(figure, resultOf(26)).measurements[0]).toMatchObject({
      verdict: 'missed',
      why: 'busy',
    });
    expect(figureReport(figure, resultOf(24)).measurements[0]).not.toHaveProperty('why');
  });

  it('doubts a load that is too busy, and a machine that is not ours alone', () => {
    const cores = [
      { core: 0, busyPercent: 99, stealPercent: 3 },
      { core: 1, busyPercent: 86, stealPercent: 1 },
    ];
    expect(figureReport(figure, resultOf(1, cores)).warnings).toEqual([
      'core 1, with the load, was 86% busy',
      '3% of core 0 went to other machines',
    ]);
  });

  it('keeps a figure that could not be measured, with why', () => {
    const report = figureReport(figure, new Error('no broker'));
    expect(report.failed).toContain('no broker');
    expect(report.measurements).toEqual([]);
  });
});

describe('short', () => {
  it.each([
    [30_012.7, '30,013'],
    [1_234_567, '1,234,567'],
    [999.6, '1,000'],
    [99.96, '100'],
    [0.50049, '0.5'],
    [0.001234, '0.00123'],
    [0, '0'],
  ])('%d is %s', (value, text) => {
    expect(short(value)).toBe(text);
  });
});
