/** Figures about truth in their smallest size: nothing may be lost, ended twice or crash in any size. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NODE_ARGUMENTS } from '@natter/runtime/node-arguments';
import { afterAll, expect, it } from 'vitest';
import type { FigureReport, Report } from '../src/report/report.ts';

const dir = mkdtempSync(join(tmpdir(), 'natter-bench-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Numbers by id, without the name of the figure; `said` is what to read when one is wrong. */
function run(figure: string): { rows: Record<string, number>; said: string } {
  const out = join(dir, `${figure}.json`);
  const main = join(import.meta.dirname, '../src/main.ts');
  const args = [...NODE_ARGUMENTS, main, figure, '--tiny', '--seed', '7', '--out', out];
  const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 170_000 });
  const { figures } = JSON.parse(readFileSync(out, 'utf8')) as Report;
  const { failed, measurements } = figures[0] as FigureReport;
  expect([failed, stderr]).toEqual([null, expect.stringContaining('--seed 7')]);
  const rows = measurements.map(({ id, value }) => [id.slice(figure.length + 1), value]);
  return { rows: Object.fromEntries(rows) as Record<string, number>, said: stderr };
}

it('[bench/faults] kills every part under load, and nothing that was acknowledged is lost', () => {
  const { rows, said } = run('faults');
  for (const part of ['gateway', 'agent', 'auth', 'uploads', 'broker', 'model']) {
    expect([part, rows[`${part}-lost`], said]).toEqual([part, 0, expect.any(String)]);
    expect(rows[`${part}-acked`]).toBeGreaterThanOrEqual(10);
  }
  const wrong = [rows['ends-other-than-one'], rows['transcripts-different'], rows.late];
  expect([wrong, said]).toEqual([[0, 0, 0], expect.any(String)]);
  expect(rows.runs).toBeGreaterThan(0);
}, 180_000);

it('[bench/takeover] kills an agent in the middle of answers, which another one finishes', () => {
  const { rows } = run('takeover');
  expect(rows.wrong).toBe(0);
  expect(rows.p99).toBeGreaterThan(0);
}, 180_000);

it('[bench/fuzz] sends hostile frames to every codec and to a gateway, and nothing gives way', () => {
  const { rows } = run('fuzz');
  const bad = ['crashes', 'uncaught', 'out-of-bounds', 'socket-faults'].map((what) => [what, rows[what]]);
  expect(bad.filter(([, count]) => count !== 0)).toEqual([]);
  expect(rows['frames-tiny']).toBeGreaterThanOrEqual(20_000);
  expect(rows['socket-answered']).toBeGreaterThan(0);
}, 180_000);
