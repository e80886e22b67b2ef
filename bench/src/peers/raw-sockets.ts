/** Raw uWebSockets.js in a process of its own, and connections to it. */
import type { Bench } from '../bench.ts';
import { HelperProcess } from '../helper-process.ts';
import { RawSocket } from '../load/raw-socket.ts';
import { CORE } from '../measure/cores.ts';
import type { RawSocketsRequest } from './raw-sockets/main.ts';

export interface RawPeer {
  pid: number;
  /** Resolves when the upgrade was accepted. */
  open(): Promise<{ drop(): void }>;
  collectGarbage(): Promise<null>;
}

/** Starts it on the core of the process under test; it ends with the figure. */
export async function startRawPeer(bench: Bench): Promise<RawPeer> {
  const entry = `${import.meta.dirname}/raw-sockets/main.ts`;
  const peer = await HelperProcess.start<RawSocketsRequest, number>('raw uWebSockets.js', entry);
  bench.defer(() => peer.stop());
  bench.cores.pin(peer.pid, CORE.underTest);
  const port = await peer.ask('port', 5_000);
  return {
    pid: peer.pid,
    open: () => open(port),
    collectGarbage: async () => {
      await peer.ask('collect-garbage', 10_000);
      return null;
    },
  };
}

function open(port: number): Promise<{ drop(): void }> {
  return new Promise((resolve, reject) => {
    const socket: RawSocket = new RawSocket({
      port,
      path: '/',
      onText: () => undefined,
      onOpen: () => resolve(socket),
      onLost: (why) => reject(new Error(`a raw connection failed: ${why}`)),
    });
  });
}
