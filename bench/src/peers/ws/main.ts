/** Peer: the ws package, with a room as its documentation broadcasts: a loop over the sockets. */
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { serveParent } from '../serve-parent.ts';

export type WsRequest = 'port';

const room = new Set<WebSocket>();
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  // The defaults, said aloud: what a peer compresses or limits would be another work.
  perMessageDeflate: false,
  maxPayload: 64 * 1024,
  clientTracking: false,
});

server.on('connection', (socket, { url }) => {
  if (url === '/watch') {
    room.add(socket);
    socket.on('close', () => room.delete(socket));
  } else {
    socket.on('message', (data) => {
      for (const watcher of room)
        if (watcher.readyState === WebSocket.OPEN) watcher.send(data, { binary: false });
    });
  }
  // The close event follows; without a listener the process would end.
  socket.on('error', () => undefined);
});
await new Promise((resolve) => server.on('listening', resolve));

serveParent<WsRequest, number>(() => (server.address() as AddressInfo).port);
