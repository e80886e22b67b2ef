/** Peer: uWebSockets.js alone, which accepts every upgrade and keeps nothing. */
import { App, us_socket_local_port } from 'uWebSockets.js';
import { serveParent } from '../serve-parent.ts';

const port = await new Promise<number>((resolve, reject) => {
  App()
    .ws('/*', { idleTimeout: 60, maxPayloadLength: 64 * 1024, message: () => undefined })
    .listen('127.0.0.1', 0, (socket) => {
      if (socket === false) reject(new Error('no port'));
      // The types of the package take its own kind of socket here.
      else resolve(us_socket_local_port(socket as unknown as Parameters<typeof us_socket_local_port>[0]));
    });
});

serveParent<null, number>(() => port);
