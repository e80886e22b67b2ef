/** The ws package, alone. */
import type { JSONWebKeySet } from 'jose';
import type { Bench } from '../../bench.ts';
import { HelperProcess } from '../../helper-process.ts';
import { openSpeaker } from '../../load/speaker.ts';
import { CORE } from '../../measure/cores.ts';
import { packageVersion } from '../../measure/machine.ts';
import { envelope } from '../envelope.ts';
import type { Peer } from '../peer.ts';
import type { WsRequest } from './main.ts';

export const ws: Peer = {
  name: 'ws',
  title: 'ws',
  missing: () => null,
  versions: () => ({ ws: packageVersion('ws') }),
  async startRoom(bench) {
    const { pids, port } = await startServer(bench, null);
    const speaker = await openSpeaker(port, '/say');
    bench.defer(() => speaker.drop());
    return {
      pids,
      helpers: {},
      port,
      entrances: [{ path: '/watch', readyMark: null }],
      delivery: (text) => ({ bytes: Buffer.byteLength(envelope(text)), coalesced: false }),
      say: (text, times) => {
        for (let time = 0; time < times; time += 1) speaker.send(envelope(text));
      },
    };
  },
  async startSockets(bench, jwks) {
    return {
      ...(await startServer(bench, jwks)),
      entrance: (token, room) => ({
        path: `/in?token=${token}${room === null ? '' : `&room=${room}`}`,
        readyMark: '"auth_success"',
      }),
    };
  },
};

async function startServer(
  bench: Bench,
  jwks: JSONWebKeySet | null,
): Promise<{ pids: number[]; port: number }> {
  const server = await HelperProcess.start<WsRequest, number>('ws', `${import.meta.dirname}/main.ts`);
  bench.defer(() => server.stop());
  bench.cores.pin(server.pid, CORE.underTest);
  return { pids: [server.pid], port: await server.ask({ jwks }, 5_000) };
}
