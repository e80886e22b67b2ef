/** What the edge knows of a wire, and of what happens on one socket. */
import type { CloseReason } from '@natter/proto';
import type { Handshake } from './dialect.ts';
import type { Socket } from './socket.ts';

/** A path that is upgraded to WebSockets. */
export interface SocketRoute {
  /** Path pattern of uWebSockets.js (`/ws/:session_id`). */
  readonly path: string;
  /** Larger frames close the connection with 1009. */
  readonly maxFrameBytes: number;
  /** Whether a foreign Origin gets an open socket and a close code, or a plain 403. */
  readonly originRefusal: 'http' | 'close';
  /** Reads the upgrade request, which is dead afterwards. What it returns begins the session. */
  accept(handshake: Handshake): (socket: Socket) => SocketSession;
}

/** One socket's session; the edge calls it and never the other way round, but through Socket. */
export interface SocketSession {
  /** Called first, once. */
  open(): void;
  /** `bytes` may be reused by the caller afterwards. */
  receive(bytes: Uint8Array, isBinary: boolean): void;
  /** A ping came. */
  receivePing(): void;
  /** The answer to a ping of ours came, or one to none. */
  receivePong(): void;
  /** Something that was published to the socket did not fit into its buffer. */
  dropped(): void;
  /** The socket has room again. */
  drained(): void;
  /** Called about once a second, once it is due. */
  tick(nowMs: number): void;
  /** Not before this has `tick` anything to look at: of thousands of sessions few are due in a second. */
  readonly dueAtMs: number;
  close(reason: CloseReason): void;
  /** The socket is gone; called last, once. */
  ended(): void;
}
