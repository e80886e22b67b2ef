/** What ran, and on what: a figure without this can't be compared. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { findBroker } from '@natter/runtime';

const ROOT = resolve(import.meta.dirname, '../../..');

export interface Machine {
  cpu: string;
  cores: number;
  memoryMb: number;
  kernel: string;
  /** Average over a minute, before the benchmark began. */
  load: number;
}

export function machine(): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryMb: Math.round(totalmem() / 1024 / 1024),
    kernel: release(),
    load: Math.round((loadavg()[0] as number) * 100) / 100,
  };
}

export function versions(): Record<string, string> {
  const broker = findBroker(process.env.PATH ?? '');
  return {
    commit: output('git', ['-C', ROOT, 'describe', '--always', '--dirty', '--exclude=*']),
    node: process.version,
    v8: process.versions.v8,
    'nats-server': broker === null ? 'absent' : output(broker, ['--version']).replace(/^.* v?/, ''),
    'uWebSockets.js': packageVersion('uWebSockets.js'),
    openai: packageVersion('openai'),
  };
}

/** What a program prints of itself, without the end of the line. */
export function output(program: string, args: string[]): string {
  const result = spawnSync(program, args, { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : 'unknown';
}

/** Of a package that npm installed at the root. */
export function packageVersion(name: string): string {
  const file = join(ROOT, 'node_modules', name, 'package.json');
  return existsSync(file) ? String(JSON.parse(readFileSync(file, 'utf8')).version) : 'unknown';
}
