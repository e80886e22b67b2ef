/** A redis-server that only passes messages on: nothing is written to a disk. */
import { freePort } from '@natter/runtime';
import type { Bench } from '../../bench.ts';
import { CORE } from '../../measure/cores.ts';
import { findProgram } from '../find-program.ts';
import { startProgram } from '../program.ts';

export interface Redis {
  pid: number;
  port: number;
}

export function findRedis(): string | null {
  return findProgram('redis-server');
}

/** On the core of the load; it ends with the figure. */
export async function startRedis(bench: Bench): Promise<Redis> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const file = findRedis() as string;
  const pid = await startProgram(bench, { name: 'redis-server', file, args, port, core: CORE.load });
  return { pid, port };
}
