/** Figures in their smallest size: the numbers mean nothing, but what must hold, holds. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NODE_ARGUMENTS } from '@natter/runtime/node-arguments';
import { afterAll, describe, expect, it } from 'vitest';
import type { FigureReport, Report } from '../src/report/report.ts';

const dir = mkdtempSync(join(tmpdir(), 'natter-bench-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function run(figure: string): FigureReport {
  const out = join(dir, `${figure}.json`);
  const main = join(import.meta.dirname, '../src/main.ts');
  const { stderr } = spawnSync(process.execPath, [...NODE_ARGUMENTS, main, figure, '--tiny', '--out', out], {
    encoding: 'utf8',
    timeout: 110_000,
  });
  const { figures } = JSON.parse(readFileSync(out, 'utf8')) as Report;
  expect([figures.map(({ failed }) => failed), stderr]).toEqual([[null], expect.any(String)]);
  return figures[0] as FigureReport;
}

const numberOf = ({ measurements }: FigureReport, id: string) =>
  measurements.find((measurement) => measurement.id === id)?.value;

describe('npm run bench', () => {
  it('[bench/fanout] compares the watchers of a room with those of raw uWebSockets', () => {
    const report = run('fanout');
    const ratios = report.measurements.filter(({ id }) => id.endsWith('-ratio'));
    expect(ratios.map(({ id }) => id)).toEqual([
      'fanout.10-128-ratio',
      'fanout.10-1024-ratio',
      'fanout.50-128-by-4-ratio',
      'fanout.50-1024-by-4-ratio',
    ]);
    expect(ratios.every(({ value }) => value > 0)).toBe(true);
  });

  it('[bench/logs] counts every line at every reader but one, which is told what it lost', () => {
    const report = run('logs');
    expect(numberOf(report, 'logs.untold')).toBe(0);
    // Each reader had each line, or the figure had failed.
    expect(numberOf(report, 'logs.deliveries')).toBeGreaterThan(0);
    expect(numberOf(report, 'logs.single')).toBeGreaterThan(0);
  });

  it('[bench/upload] uploads files in both kinds of frames, and to raw uWebSockets', () => {
    const report = run('upload');
    const measured = report.measurements.map(({ id, value }) => [id, value > 0]);
    // Each file is `ready`: hashed, judged and stored, or the figure had failed.
    expect(measured).toEqual([
      ['upload.binary', true],
      ['upload.base64', true],
      ['upload.nats', true],
      ['upload.raw', true],
      ['upload.ratio', true],
    ]);
  });

  it('[bench/resume-storm] kills the gateway, and nobody loses or doubles a token', () => {
    const report = run('resume-storm');
    const held = ['lost', 'doubled', 'unrecovered', 'wrong-ends'].map((what) => [
      what,
      numberOf(report, `resume-storm.${what}`),
    ]);
    expect(held).toEqual([
      ['lost', 0],
      ['doubled', 0],
      ['unrecovered', 0],
      ['wrong-ends', 0],
    ]);
  });

  it('sets aside who does not read, and tells what a delivery costs beside them', () => {
    const report = run('slow-readers');
    expect(numberOf(report, 'slow-readers.beside')).toBeGreaterThan(0);
    expect(numberOf(report, 'slow-readers.ratio')).toBeGreaterThan(0);
  });

  it('[bench/growth] has a cost at each load, and how it grows', () => {
    const report = run('growth');
    const curves = [
      'connect',
      'join',
      'delivery',
      'delivery-rooms',
      'token-gateway',
      'token-agent',
      'token-broker',
    ];
    for (const curve of curves) {
      // Loads of the smallest size are 1, 2 and 4 times the first.
      const costs = [1, 2, 4].map((load) => numberOf(report, `growth.${curve}-${load}`) ?? 0);
      expect([curve, costs.every((cost) => cost > 0)]).toEqual([curve, true]);
      expect(Number.isFinite(numberOf(report, `growth.${curve}-exponent`))).toBe(true);
    }
  });

  it('[bench/broker] stores, reads and republishes, at a cost', () => {
    const report = run('broker');
    const ids = ['relay', 'event', 'event-rate', 'append', 'append-rate', 'append-streams-rate', 'read'];
    for (const id of ids) expect([id, (numberOf(report, `broker.${id}`) ?? 0) > 0]).toEqual([id, true]);
  });
});
