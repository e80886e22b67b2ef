/** nchan: channels of nginx, fed over a WebSocket: 13% cheaper with 10 watchers than POST, measured. */
import { output } from '../../measure/machine.ts';
import { envelope } from '../envelope.ts';
import type { Peer } from '../peer.ts';
import { findNginx } from './find-nginx.ts';
import { startNchan } from './start-nchan.ts';

export const nchan: Peer = {
  name: 'nchan',
  title: 'nchan',
  missing: () =>
    findNginx() === null ? 'nginx with nchan (Debian: libnginx-mod-nchan) is not installed' : null,
  versions: () => ({ nginx: nginxVersion(), nchan: packaged() }),
  async startRoom(bench) {
    const { pid, port, say } = await startNchan(bench);
    return {
      pids: [pid],
      helpers: {},
      port,
      entrances: [{ path: '/watch', readyMark: null }],
      delivery: (text) => ({ bytes: Buffer.byteLength(envelope(text)), coalesced: false }),
      say: (text, times) => {
        for (let time = 0; time < times; time += 1) say(envelope(text));
      },
    };
  },
  async startFeed(bench) {
    const { pid, port, say } = await startNchan(bench);
    const streamHeaders = { Accept: 'text/event-stream' };
    return { pids: [pid], port, socketPath: '/watch', streamPath: '/watch', streamHeaders, say };
  },
};

/** nginx prints it on standard error. */
function nginxVersion(): string {
  return output('sh', ['-c', '"$0" -v 2>&1', findNginx() ?? 'nginx']).replace(/^.*\//, '');
}

/** The module doesn't tell its version; Debian does. */
function packaged(): string {
  return output('dpkg-query', ['-W', 'libnginx-mod-nchan']).replace(/^.*\t/, '');
}
