/** A way into a server: what a socket sends, and what it waits for. */

export interface Entrance {
  /** Path and query of the upgrade. */
  path: string;
  /** Header lines of the upgrade beyond those of every WebSocket. */
  headers?: readonly string[];
  /** Each is sent when the mark before it has come; `after: null` is at once. */
  frames?: readonly { after: string | null; text: string }[];
  /** They are sent as binary frames; default as text. */
  binary?: boolean;
  /** In the bytes of the server's first frames when it has let us in; null: when it has upgraded. */
  readyMark: string | null;
}
