/** The path of logs over WebSocket, as the edge serves it. */
import type { SocketRoute } from '../socket-session.ts';
import { LogSession, type LogSessionDeps } from './log-session.ts';

/** Acknowledgements are short. */
const MAX_FRAME_BYTES = 4_096;

export function logSocketRoute(deps: LogSessionDeps): SocketRoute {
  return {
    path: '/ws/logs',
    maxFrameBytes: MAX_FRAME_BYTES,
    originRefusal: 'http',
    accept(handshake) {
      const opening = deps.wire.open(handshake);
      return (socket) => new LogSession(deps, socket, opening);
    },
  };
}
