/** Groups of sockets that get the same frames; `edge/` implements it with uWebSockets' own. */
export interface Topics {
  /** Sends a frame to every socket that joined the topic. */
  publish(topic: string, frame: string): void;
}
