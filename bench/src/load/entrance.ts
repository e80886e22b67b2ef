/** A way into a server: what a socket sends, and what it waits for. */

export interface Entrance {
  /** Path and query of the upgrade. */
  path: string;
  /** Header lines of the upgrade beyond those of every WebSocket. */
  headers?: readonly string[];
  /** Text frames, each sent when the mark before it has come; `after: null` is at once. */
  frames?: readonly { after: string | null; text: string }[];
  /** In the bytes of the server's first frames when it has let us in; null: when it has upgraded. */
  readyMark: string | null;
}
