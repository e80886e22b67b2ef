/** Raw uWebSockets.js that writes what it gets to a file, in a process of its own. */
import type { Bench } from '../bench.ts';
import { HelperProcess } from '../helper-process.ts';
import { CORE } from '../measure/cores.ts';
import type { RawSinkRequest } from './raw-sink/main.ts';

export interface RawSink {
  pid: number;
  port: number;
}

/** Starts it on the core of the process under test; it ends with the figure. */
export async function startRawSink(bench: Bench): Promise<RawSink> {
  const entry = `${import.meta.dirname}/raw-sink/main.ts`;
  const peer = await HelperProcess.start<RawSinkRequest, number>('raw uWebSockets.js', entry);
  bench.defer(() => peer.stop());
  bench.cores.pin(peer.pid, CORE.underTest);
  return { pid: peer.pid, port: await peer.ask('port', 5_000) };
}
