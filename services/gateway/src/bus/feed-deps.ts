/** What feeds of conversations share, and whom they tell of rooms. */
import type { LiveEvent } from '@natter/proto';
import type { Bus, Logger } from '@natter/runtime';
import type { Topics } from '../session/topics.ts';
import type { ConversationFeed } from './conversation-feed.ts';
import type { Gate } from './gate.ts';
import type { TranscriptPages } from './transcript-pages.ts';
import type { TranscriptReader } from './transcript-reader.ts';

/** What else is said on a conversation's subjects; the gateway's rooms want to know. */
export interface RoomListener {
  /** The record of the room; empty when it was deleted. */
  room(conversation: string, data: Uint8Array): void;
  member(conversation: string, data: Uint8Array): void;
  presence(conversation: string, event: Extract<LiveEvent, { type: 'presence' }>): void;
}

export interface FeedDeps {
  bus: Pick<Bus, 'subscribe'>;
  reader: TranscriptReader;
  pages: TranscriptPages;
  repairs: Gate;
  topics: Topics;
  rooms: RoomListener;
  log: Logger;
  now: () => number;
  /** Something was fanned out: slow readers should be looked for. */
  busy(feed: ConversationFeed): void;
}
