/** What a session sees of its socket; `edge/` implements it. */
export interface Socket {
  /** False when the frame was dropped, which ends the connection's usefulness. */
  send(frame: string): boolean;
  /** What `act` sends at once goes to the peer in one piece: one write here, one wake-up there. */
  together(act: () => void): void;
  /** Bytes accepted and not yet taken by the peer. */
  buffered(): number;
  /** Gets what is published on a topic, in order with what is sent. */
  join(topic: string): void;
  leave(topic: string): void;
  /** Sends a close frame and ends the connection; later calls do nothing. */
  close(code: number, reason: string): void;
}
