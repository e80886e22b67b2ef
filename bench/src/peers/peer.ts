/** What users would pick instead of Natter, made to do the same work in the same rounds. */
import type { JSONWebKeySet } from 'jose';
import type { Bench } from '../bench.ts';
import type { Entrance } from '../load/entrance.ts';
import type { LogWays } from '../load/log-readers/main.ts';

export interface Peer {
  /** As `--peer` has it. */
  name: string;
  title: string;
  /** Why it can't run on this machine, in one sentence; null when it can. */
  missing(): string | null;
  /** Of the program and of what it stands on. */
  versions(): Record<string, string>;
  /** One room; absent where the peer has nothing of the kind. */
  startRoom?(bench: Bench): Promise<RoomPeer>;
  /** A server that asks everybody for a token which one of these keys has signed. */
  startSockets?(bench: Bench, jwks: JSONWebKeySet): Promise<SocketsPeer>;
  /** One feed over WebSocket and as server-sent events; absent where the peer has nothing of the kind. */
  startFeed?(bench: Bench): Promise<FeedPeer>;
  /** A chat that streams from the model there; absent where the peer has nothing of the kind. */
  startChat?(bench: Bench, modelUrl: string): Promise<ChatPeer>;
}

/** A room of a peer, started on the core of the process under test; it ends with the figure. */
export interface RoomPeer {
  /** Whose CPU and memory count, together. */
  pids: number[];
  /** What else it needs, such as Redis, by name; on the core of the load, told beside. */
  helpers: Record<string, number>;
  port: number;
  /** Ways into the room, used in turn. */
  entrances: Entrance[];
  /** Beyond this many watchers it is left out, and the result says so; absent: no limit. */
  mostWatchers?: number;
  /** What reaches each watcher when `text` is said. */
  delivery(text: string): Delivery;
  /** To everybody in the room, `times` times, without waiting for the watchers. */
  say(text: string, times: number): Promise<void> | void;
}

export interface Delivery {
  /** Payload bytes of one delivery. */
  bytes: number;
  /** True where the server may put several into one frame: then their number follows from its length. */
  coalesced: boolean;
}

/** Where people sign in, on the core of the process under test; it ends with the figure. */
export interface SocketsPeer {
  pids: number[];
  port: number;
  /** Of somebody with this token, who is in a room as well unless it is null. */
  entrance(token: string, room: string | null): Entrance;
}

/** A feed, on the core of the process under test; it ends with the figure. */
export interface FeedPeer extends LogWays {
  pids: number[];
  /** To all who read. */
  say(line: string): void;
}

/** A chat with the frames of chat-v1 at `/ws/chat?token=`, on any core; it ends with the figure. */
export interface ChatPeer {
  pids: number[];
  port: number;
  /** One that it accepts. */
  token(sub: string): string;
}
