/**
 * Every subject on the bus, built in one place.
 *
 * `conversation` is a key made by `conversationKey` or `roomKey`; `run` is an id of `[a-z0-9]+` made by the
 * gateway. Nothing else may be put into a subject.
 */

import { decodeToken, encodeToken } from './ids.ts';
import type { LogLevel } from './logs.ts';

export const SUBJECTS = {
  /** Questions; stored by TURNS. */
  turn: (conversation: string) => `turn.conv.${conversation}`,
  allTurns: 'turn.>',

  /** What a run emits; stored by EVENTS, republished under `ev.out`. */
  runEvents: (conversation: string, run: string) => `ev.in.conv.${conversation}.run.${run}`,
  conversationRuns: (conversation: string) => `ev.in.conv.${conversation}.run.*`,
  allEventsIn: 'ev.in.>',
  conversationRunsOut: (conversation: string) => `ev.out.conv.${conversation}.run.*`,
  allEventsOut: 'ev.out.>',

  /** Transcripts; stored by MESSAGES. */
  conversationMessages: (conversation: string) => `msg.conv.${conversation}.>`,
  /** What people said and changed, in order; republished as `conversationOut(…).log`. */
  conversationLog: (conversation: string) => `msg.conv.${conversation}.log`,
  /** How a run ended; one message each, never republished: its last event says the same. */
  runEnd: (conversation: string, run: string) => `msg.conv.${conversation}.end.${run}`,
  allMessages: 'msg.>',
  allLogs: 'msg.conv.*.log',

  /** Everything that happens in a conversation, live; `kindOut` tells what a message is. */
  conversationOut: (conversation: string) => `ev.out.conv.${conversation}.>`,
  /** The log of a conversation, republished. */
  logOut: (conversation: string) => `ev.out.conv.${conversation}.log`,
  /** Typing and presence: said once, stored nowhere. Published by gateways. */
  liveOut: (conversation: string) => `ev.out.conv.${conversation}.live`,
  /** What concerns one user on all of their connections, stored nowhere. */
  userOut: (sub: string) => `ev.out.user.${encodeToken(sub)}`,

  /** One gateway asks all of them: presence, statistics, connections. */
  askGateways: 'gateway.ask',
  /** Each gateway says every two seconds that it lives. */
  gatewayAlive: 'gateway.alive',

  /** One message for each request that counts; the stream refuses those above the limit. */
  userRate: (sub: string) => `rate.user.${encodeToken(sub)}`,
  sessionRate: (session: string) => `rate.session.${session}`,

  /** Asks one agent whether it is at work on the turn with a sequence; answered with `1` or `0`. */
  agentHolds: (agent: string) => `agent.${agent}.holds`,
  /** Endpoints of the auth service (a queue group). */
  authVerify: 'auth.verify',
  /** Many tokens at once, as after the death of a gateway. */
  authVerifyMany: 'auth.verify_many',
  authLogin: 'auth.login',
  authJwks: 'auth.jwks',
  /** Tokens of the wires: rooms-v1 and fastchat-v1. */
  authIssue: 'auth.issue',
  /** Who may be where; see rooms.ts. */
  authRooms: 'auth.rooms',
  /** Whether users may be in rooms, of many at once. */
  authAccessMany: 'auth.access_many',
  /** Makes, lists and revokes API keys; see api-keys.ts. */
  authApiKeys: 'auth.api_keys',
  /** An API key was changed or revoked: a message without a body. */
  apiKeyChanged: (id: string) => `ev.out.apikey.${id}`,

  /** Log lines; stored by LOGS, republished under `logs.out`. */
  log: (service: string, level: LogLevel, category: string) =>
    `log.${encodeToken(service)}.${level}.${encodeToken(category)}`,
  allLogLines: 'log.*.*.*',

  /** Endpoints of the uploads service (a queue group); see uploads.ts. */
  uploads: 'uploads.ask',
  /** Parts of uploads; stored by CHUNKS. The part is its index or offset, and its length: `0-1048576`. */
  chunk: (file: string, part: string) => `chunk.${file}.${part}`,
  allChunks: 'chunk.>',
} as const;

/** The conversation of a subject made by `SUBJECTS.turn`. */
export function conversationOfTurn(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

/** The run id at the end of a subject that matches `conversationRunsOut`. */
export function runOfSubject(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

/** What a message under `conversationOut` is. */
export type OutKind =
  | { kind: 'run'; run: string }
  | { kind: 'log' | 'live' | 'room' }
  | { kind: 'member'; sub: string };

/** Reads the part of a subject behind `ev.out.conv.<c>.`; null for what nobody publishes. */
export function kindOut(subject: string): OutKind | null {
  const [, , , , kind, last = ''] = subject.split('.');
  if (kind === 'run') return { kind, run: last };
  if (kind === 'log' || kind === 'live' || kind === 'room') return { kind };
  const sub = kind === 'member' ? decodeToken(last) : null;
  return sub === null ? null : { kind: 'member', sub };
}

export const STREAMS = {
  turns: 'TURNS',
  messages: 'MESSAGES',
  events: 'EVENTS',
  /** What users and sessions asked within the window of the rate limit; memory. */
  userRates: 'RATES_USER',
  sessionRates: 'RATES_SESSION',
  /** Log lines of every service, and of others. */
  logs: 'LOGS',
  /** Parts of uploads until they are finished. */
  chunks: 'CHUNKS',
  /** An object store of NATS (ADR-20): the bytes of files, where UPLOAD_DIR is unset. */
  files: 'OBJ_files',
} as const;

export const CONSUMERS = {
  /** Durable consumer of TURNS that every agent process pulls from. */
  agents: 'agents',
} as const;

export const BUCKETS = {
  /** State of every conversation: which turns have ended, which run is being produced. */
  runs: 'runs',
  /** Maintenance appointments, by customer. */
  appointments: 'appointments',
  /** Rooms: `id.<id>` names the life of a room, `room.<key>` describes it. */
  rooms: 'rooms',
  /** Who is what in a room, by `<key>.<sub>`. */
  members: 'members',
  /** Up to which message of MESSAGES a member was sent a room, by `<sub>.<key>`. */
  positions: 'positions',
  /** Hashed API keys, by id. */
  apiKeys: 'api_keys',
  /** How far a reader of logs has acknowledged, by `<sub>.<name>`. */
  logPositions: 'log_positions',
  /** Uploads under way, by `<owner>.<file>`; each is gone when it has expired. */
  uploads: 'uploads',
  /** Finished files, by id. */
  files: 'files',
  /**
   * `owner.<owner>`: what all of an owner's files add up to. `conv.<c>.<file>`: files of a conversation.
   * Work: `scan.<file>`, `text.<file>`, `attempt.<file>.<suffix>`.
   */
  fileIndex: 'file_index',
  /** Texts of files that agents search, by `<c>.<file>`. */
  fileTexts: 'file_texts',
} as const;
