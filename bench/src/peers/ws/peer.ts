/** The ws package, alone. */
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
    const server = await HelperProcess.start<WsRequest, number>('ws', `${import.meta.dirname}/main.ts`);
    bench.defer(() => server.stop());
    bench.cores.pin(server.pid, CORE.underTest);
    const port = await server.ask('port', 5_000);
    const speaker = await openSpeaker(port, '/say');
    bench.defer(() => speaker.drop());
    return {
      pids: [server.pid],
      helpers: {},
      port,
      entrances: [{ path: '/watch', readyMark: null }],
      delivery: (text) => ({ bytes: Buffer.byteLength(envelope(text)), coalesced: false }),
      say: (text, times) => {
        for (let time = 0; time < times; time += 1) speaker.send(envelope(text));
      },
    };
  },
};
