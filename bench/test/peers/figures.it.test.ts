/** Figures beside the peer that npm installs, in their smallest size. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NODE_ARGUMENTS } from '@natter/runtime/node-arguments';
import { afterAll, expect, it } from 'vitest';
import type { Report } from '../../src/report/report.ts';

const RUN_MS = 400_000;

const dir = mkdtempSync(join(tmpdir(), 'natter-bench-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('[bench/peers] measures rooms, idle connections and connects beside ws', { timeout: RUN_MS }, () => {
  const out = join(dir, 'report.json');
  const main = join(import.meta.dirname, '../../src/main.ts');
  const args = [...NODE_ARGUMENTS, main, 'fanout', 'idle', 'connect', '--tiny', '--peer', 'ws', '--out', out];
  const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: RUN_MS });
  const { figures, versions } = JSON.parse(readFileSync(out, 'utf8')) as Report;
  expect([figures.map(({ failed }) => failed), stderr]).toEqual([[null, null, null], expect.any(String)]);
  expect(versions.ws).toMatch(/^\d/);
  const rows = figures.flatMap(({ measurements }) => measurements).filter(({ id }) => /\Wvs-ws$/.test(id));
  expect(rows.map(({ id }) => id)).toEqual([
    'idle.vs-ws',
    'connect.vs-ws',
    'fanout.10-128-vs-ws',
    'fanout.10-1024-vs-ws',
    'fanout.50-128-by-4-vs-ws',
    'fanout.50-1024-by-4-vs-ws',
  ]);
  // Memory of 200 sockets says nothing, so it may even fall.
  expect(rows.slice(1).every(({ value }) => value > 0)).toBe(true);
});
