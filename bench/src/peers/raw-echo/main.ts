/** Peer: uWebSockets.js and the NATS client alone: each frame is a request, its answer the reply. */

import { App, us_socket_local_port } from 'uWebSockets.js';
import { connect } from '@nats-io/transport-node';
import { serveParent } from '../serve-parent.ts';

/** `answer`: be the service that is asked. `serve`: take the frames; resolves with the port. */
export interface RawEchoRequest {
  role: 'answer' | 'serve';
  natsUrl: string;
}

const SUBJECT = 'bench.echo';
const ANSWER_MS = 5_000;

serveParent<RawEchoRequest, number>(async ({ role, natsUrl }) => {
  const bus = await connect({ servers: natsUrl, noAsyncTraces: true });
  if (role === 'serve') return listen((frame) => bus.request(SUBJECT, frame, { timeout: ANSWER_MS }));
  bus.subscribe(SUBJECT, { callback: (_error, message) => void message.respond(message.data) });
  await bus.flush();
  return 0;
});

/** Sends each frame's answer back; a socket that has gone by then gets none. */
function listen(ask: (frame: Uint8Array) => Promise<{ data: Uint8Array }>): Promise<number> {
  return new Promise((resolve, reject) => {
    App()
      .ws<{ closed: boolean }>('/*', {
        idleTimeout: 0,
        maxPayloadLength: 64 * 1024,
        upgrade: (response, request, context) =>
          response.upgrade(
            { closed: false },
            request.getHeader('sec-websocket-key'),
            request.getHeader('sec-websocket-protocol'),
            request.getHeader('sec-websocket-extensions'),
            context,
          ),
        message: async (socket, message) => {
          // The buffer is good until the first await only.
          const reply = await ask(new Uint8Array(message.slice(0)));
          if (!socket.getUserData().closed) socket.send(reply.data, false);
        },
        close: (socket) => {
          socket.getUserData().closed = true;
        },
      })
      .listen('127.0.0.1', 0, (socket) => {
        if (socket === false) reject(new Error('no port'));
        // The types of the package take its own kind of socket here.
        else resolve(us_socket_local_port(socket as unknown as Parameters<typeof us_socket_local_port>[0]));
      });
  });
}
