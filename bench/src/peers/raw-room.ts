/** Raw uWebSockets.js with one room, in a process of its own. */
import type { Bench } from '../bench.ts';
import { HelperProcess } from '../helper-process.ts';
import { openSpeaker } from '../load/speaker.ts';
import { CORE } from '../measure/cores.ts';
import type { RawRoomRequest } from './raw-room/main.ts';

export interface RawRoom {
  pid: number;
  port: number;
  /** To everybody who watches. */
  say(text: string): void;
}

/** Starts it on the core of the process under test; it ends with the figure. */
export async function startRawRoom(bench: Bench): Promise<RawRoom> {
  const entry = `${import.meta.dirname}/raw-room/main.ts`;
  const peer = await HelperProcess.start<RawRoomRequest, number>('raw uWebSockets.js', entry);
  bench.defer(() => peer.stop());
  bench.cores.pin(peer.pid, CORE.underTest);
  const port = await peer.ask('port', 5_000);
  const speaker = await openSpeaker(port, '/say');
  bench.defer(() => speaker.drop());
  return { pid: peer.pid, port, say: (text) => speaker.send(text) };
}
