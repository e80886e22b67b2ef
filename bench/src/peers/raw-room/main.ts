/** Peer: uWebSockets.js alone, where whatever one says goes to all who watch. */

import { App, us_socket_local_port } from 'uWebSockets.js';
import { serveParent } from '../serve-parent.ts';

export type RawRoomRequest = 'port';

const ROOM = 'room';

const app = App();
const port = await new Promise<number>((resolve, reject) => {
  app
    .ws('/watch', {
      idleTimeout: 0,
      maxPayloadLength: 64 * 1024,
      open: (socket) => void socket.subscribe(ROOM),
      message: () => undefined,
    })
    .ws('/say', {
      idleTimeout: 0,
      maxPayloadLength: 64 * 1024,
      message: (_socket, message) => void app.publish(ROOM, message, false),
    })
    .listen('127.0.0.1', 0, (socket) => {
      if (socket === false) reject(new Error('no port'));
      // The types of the package take its own kind of socket here.
      else resolve(us_socket_local_port(socket as unknown as Parameters<typeof us_socket_local_port>[0]));
    });
});

serveParent<RawRoomRequest, number>(() => port);
