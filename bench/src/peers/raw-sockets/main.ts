/** Peer: uWebSockets.js alone, which accepts every upgrade and keeps nothing. */

import { App, us_socket_local_port } from 'uWebSockets.js';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { serveParent } from '../serve-parent.ts';

export type RawSocketsRequest = 'port' | 'collect-garbage';

/** As a gateway of Natter with its default heartbeat: a ping each 30 s. */
const IDLE_SECONDS = 46;

const port = await new Promise<number>((resolve, reject) => {
  App()
    .ws('/*', { idleTimeout: IDLE_SECONDS, maxPayloadLength: 64 * 1024, message: () => undefined })
    .listen('127.0.0.1', 0, (socket) => {
      if (socket === false) reject(new Error('no port'));
      // The types of the package take its own kind of socket here.
      else resolve(us_socket_local_port(socket as unknown as Parameters<typeof us_socket_local_port>[0]));
    });
});

serveParent<RawSocketsRequest, number>((request) => {
  if (request === 'collect-garbage') {
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
  }
  return port;
});
