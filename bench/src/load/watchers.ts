/** Starts a process of watchers on the core of the load. */
import type { Bench } from '../bench.ts';
import { HelperProcess } from '../helper-process.ts';
import { CORE } from '../measure/cores.ts';
import type { WatchersRequest } from './watchers/main.ts';

/** 9,000 that join a room, on a machine that does other things too. */
const ASK_MS = 120_000;

export type Watchers = (request: WatchersRequest) => Promise<number>;

/** One for each server: a process may have 20,000 files. */
export async function startWatchers(bench: Bench, name: string): Promise<Watchers> {
  const entry = `${import.meta.dirname}/watchers/main.ts`;
  const helper = await HelperProcess.start<WatchersRequest, number>(`watchers of ${name}`, entry);
  bench.defer(() => helper.stop());
  bench.cores.pin(helper.pid, CORE.load);
  return (request) => helper.ask(request, ASK_MS);
}
