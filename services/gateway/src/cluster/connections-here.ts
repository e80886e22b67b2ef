/** What a gateway knows of its own connections; the session side of the house implements it. */
import type { ConnectionRecord } from '@natter/proto';

export type ConnectionHere = Omit<ConnectionRecord, 'gateway'>;

export interface StatsHere {
  connections: number;
  /** `sub` of each user who is connected, once. */
  users: Iterable<string>;
  /** Key of each room that somebody watches here, once. */
  rooms: Iterable<string>;
  /** Messages that wait to be sent to users who are back. */
  queuedMessages: number;
  /** Users who are typing, once for each conversation. */
  typing: number;
}

export interface ConnectionsHere {
  stats(): StatsHere;
  connection(id: string): ConnectionHere | null;
  ofUser(sub: string): ConnectionHere[];
  /** `sub` of those who are typing in a conversation on this gateway. */
  typing(key: string): string[];
}
