/** Starts nginx with nchan, one worker, on a port and in a folder of its own. */
import { readFileSync } from 'node:fs';
import { freePort, killWithParent } from '@natter/runtime';
import type { Bench } from '../../bench.ts';
import { openSpeaker } from '../../load/speaker.ts';
import { CORE } from '../../measure/cores.ts';
import { configFile } from '../config-file.ts';
import { startProgram } from '../program.ts';
import { findNginx, NCHAN_MODULE } from './find-nginx.ts';

export interface Nchan {
  /** Of the worker, which does all the work. */
  pid: number;
  port: number;
  /** To everybody who watches. */
  say(text: string): void;
}

/** Watchers come to `/watch`, over WebSocket or as event streams. */
export async function startNchan(bench: Bench): Promise<Nchan> {
  const port = await freePort();
  const template = `${import.meta.dirname}/nginx.conf`;
  const { dir, file: config } = configFile(bench, template, { port, module: NCHAN_MODULE });
  const file = findNginx() as string;
  const args = ['-c', config, '-p', dir, '-e', 'stderr'];
  const master = await startProgram(bench, { name: 'nginx', file, args, port, core: CORE.underTest });
  const pid = workerOf(master);
  bench.cores.pin(pid, CORE.underTest);
  // A worker goes on without its master.
  bench.defer(killWithParent(pid).release);
  const speaker = await openSpeaker(port, '/say');
  bench.defer(() => speaker.drop());
  return { pid, port, say: (text) => speaker.send(text) };
}

function workerOf(master: number): number {
  const children = readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim().split(' ');
  if (children.length !== 1 || children[0] === '') throw new Error(`nginx has ${children.length} workers`);
  return Number(children[0]);
}
