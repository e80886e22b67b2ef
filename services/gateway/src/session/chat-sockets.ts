/** The chat dialects as wires that the edge can serve. */
import type { SessionContext } from './context.ts';
import type { Dialect, Opening } from './dialect.ts';
import { Session } from './session.ts';
import type { SessionRegistry } from './session-registry.ts';
import type { Socket } from './socket.ts';
import type { SocketRoute } from './socket-session.ts';

export interface ChatSocketLimits {
  maxFrameBytes: number;
  /** Largest part of an upload. */
  maxChunkBytes: number;
}

/** What stands around a part of an upload in its frame: names, ids, the JSON itself. */
const ENVELOPE_BYTES = 16 * 1024;

export function chatSockets(
  dialects: readonly Dialect[],
  context: SessionContext,
  sessions: SessionRegistry,
  limits: ChatSocketLimits,
): SocketRoute[] {
  return dialects.map((dialect) => ({
    path: dialect.path,
    maxFrameBytes: frameBytes(dialect, limits),
    originRefusal: dialect.manner.originRefusal,
    accept(handshake) {
      const opening = dialect.open(handshake);
      return (socket) => new ChatSession(context, dialect, socket, opening, sessions);
    },
  }));
}

function frameBytes({ manner }: Dialect, { maxFrameBytes, maxChunkBytes }: ChatSocketLimits): number {
  if (!manner.uploads) return maxFrameBytes;
  // Base64 writes three bytes in four characters. Twice that, so that the sender of a part that is too
  // large is told so; of what is no part, sessions take `maxFrameBytes` only.
  return Math.max(maxFrameBytes, 2 * Math.ceil(maxChunkBytes / 3) * 4 + ENVELOPE_BYTES);
}

/** A session that the registry knows for as long as it lasts; no wrapper, which would cost memory. */
class ChatSession extends Session {
  readonly #sessions: SessionRegistry;

  constructor(
    context: SessionContext,
    dialect: Dialect,
    socket: Socket,
    opening: Opening,
    sessions: SessionRegistry,
  ) {
    super(context, dialect, socket, opening);
    this.#sessions = sessions;
    sessions.add(this);
  }

  override ended(): void {
    super.ended();
    this.#sessions.delete(this);
  }
}
