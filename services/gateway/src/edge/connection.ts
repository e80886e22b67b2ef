/** A session's socket over uWebSockets.js, safe to use after the socket has gone. */
import type { WebSocket } from 'uWebSockets.js';
import type { Socket } from '../session/socket.ts';
import type { SocketSession } from '../session/socket-session.ts';

/** What uWebSockets keeps for each connection. */
export interface ConnectionData {
  /** Null once the session has begun. */
  begin: ((socket: Socket) => SocketSession) | null;
  /** It is told so over the open socket, as its wire wants it. */
  foreignOrigin: boolean;
  addressKey: string;
  session: SocketSession | null;
  socket: UwsSocket | null;
}

/** RFC 6455 section 5.5: a control frame carries 125 bytes, two of them the code. */
const REASON_BYTES = 123;

/** What `send` of uWebSockets answers when the frame was dropped. */
const DROPPED = 2;

export class UwsSocket implements Socket {
  #ws: WebSocket<ConnectionData> | null;

  constructor(ws: WebSocket<ConnectionData>) {
    this.#ws = ws;
  }

  send(frame: string): boolean {
    return this.#ws !== null && this.#ws.send(frame, false) !== DROPPED;
  }

  together(act: () => void): void {
    if (this.#ws === null) act();
    else this.#ws.cork(act);
  }

  buffered(): number {
    return this.#ws?.getBufferedAmount() ?? 0;
  }

  join(topic: string): void {
    this.#ws?.subscribe(topic);
  }

  leave(topic: string): void {
    this.#ws?.unsubscribe(topic);
  }

  close(code: number, reason: string): void {
    const ws = this.#ws;
    // Any use after `end` throws, and `end` calls the close handler before it returns.
    this.#ws = null;
    ws?.end(code, Buffer.from(reason).subarray(0, REASON_BYTES));
  }

  /** The peer has gone. */
  detach(): void {
    this.#ws = null;
  }
}
