/** What sessions share, and what the parts of one session know of it. */
import type { CloseReason, ErrorCode, Principal, TurnOptions } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import type { AuthClient } from '../bus/auth-client.ts';
import type { ConversationHub } from '../bus/conversation-hub.ts';
import type { MessageStore } from '../bus/message-store.ts';
import type { Positions } from '../bus/positions.ts';
import type { RateStore } from '../bus/rate-store.ts';
import type { RoomsClient } from '../bus/rooms-client.ts';
import type { TurnStore } from '../bus/turn-store.ts';
import type { UploadsClient } from '../bus/uploads-client.ts';
import type { UserChannel } from '../bus/user-channel.ts';
import type { Presence } from '../cluster/presence.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Dialect, ErrorDetail, Frames, Notice, OnBusy, Opening } from './dialect.ts';
import type { ProgressFrames } from './progress-frames.ts';
import type { RoomsHere } from './rooms-here.ts';
import type { Socket } from './socket.ts';
import type { TypingFrames } from './typing-frames.ts';
import type { UserRates } from './user-rates.ts';

export interface SessionLimits {
  rateLimitRequests: number;
  rateLimitWindowSeconds: number;
  maxTurnsPerConnection: number;
  authDeadlineMs: number;
  softBufferBytes: number;
  hardBufferBytes: number;
  heartbeatSeconds: number;
  anonymousSessions: boolean;
  /** Of frames that carry no part of an upload. */
  maxFrameBytes: number;
  maxChunkBytes: number;
  uploadFramesPerWindow: number;
}

export interface SessionContext {
  auth: Pick<AuthClient, 'verify'>;
  hub: Pick<ConversationHub, 'follow' | 'watch' | 'find' | 'reader' | 'pages'>;
  turns: Pick<TurnStore, 'store' | 'storeIfIdle' | 'waiting'>;
  messages: Pick<MessageStore, 'append'>;
  rooms: Pick<RoomsClient, 'ask'>;
  roomsHere: RoomsHere;
  presence: Pick<Presence, 'enter' | 'exit' | 'who'>;
  positions: Pick<Positions, 'read' | 'readAll' | 'write'>;
  users: Pick<UserChannel, 'tell' | 'listen' | 'unlisten'>;
  /** Questions by user, over all of their connections here: the first and cheap look. */
  questions: Pick<UserRates, 'take'>;
  /** Connections that join or resume as they open, by user. */
  arrivals: Pick<UserRates, 'take'>;
  /** What a user does, over all gateways. */
  rates: Pick<RateStore, 'take'>;
  /** For those who ask who is typing. */
  setTyping(conversation: string, sub: string, isTyping: boolean): void;
  /** Tells those who watch. */
  typing: Pick<TypingFrames, 'say'>;
  uploads: Pick<UploadsClient, 'ask' | 'put'>;
  /** Tells those who watch how far an upload is. */
  progress: Pick<ProgressFrames, 'say' | 'sayIf'>;
  metrics: GatewayMetrics;
  limits: SessionLimits;
  log: Logger;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Counts a connection of this user; false when they have all they may have. */
  admitUser(sub: string): boolean;
  releaseUser(sub: string): void;
}

export interface Refusal extends Partial<ErrorDetail> {
  retryAfter?: number;
}

/** One connection, as the parts of its session see it. */
export interface Connection {
  readonly id: string;
  readonly context: SessionContext;
  readonly dialect: Dialect;
  readonly opening: Opening;
  readonly socket: Socket;
  readonly closed: boolean;
  /** Null before a good token. */
  readonly principal: Principal | null;
  onBusy: OnBusy;
  /** Hold for every question that says nothing else. */
  readonly options: TurnOptions;
  send(frames: Frames): void;
  notice(notice: Notice): void;
  refuse(code: ErrorCode, detail?: Refusal): void;
  close(reason: CloseReason): void;
}
