/** What parent and gateway processes tell each other over IPC. */

/** From a gateway. `ready` and `failed` are said by `runService`. */
export type GatewayWord =
  | { ready: Record<string, number> }
  | { failed: string }
  /** Once a second: it lives, and holds so many connections. */
  | { connections: number };

/** From the parent: how many connections it may hold from now on. */
export interface ParentWord {
  maxConnections: number;
}
