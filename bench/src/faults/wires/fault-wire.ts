/** A chat wire in words that none of them owns, as far as it shows what was said, stored and answered. */

export type End = 'completed' | 'cancelled' | 'failed';

/** What one frame says. `run`: the bus-wide id of a message and its answer, where the wire has it. */
export type Seen =
  /** It is known who we are; from here on frames may be sent, if no cursor or room is waited for. */
  | { kind: 'welcome' }
  | { kind: 'joined' }
  | { kind: 'resumed'; recovered: boolean }
  /** A person's message; `key` is who said it, and the id that they gave it. */
  | { kind: 'said'; run: string; key: string; text: string }
  /** A message of ours is on the broker's disk. */
  | { kind: 'confirmed'; run: string; messageId: string }
  /** An answer has begun or goes on, without text. */
  | { kind: 'progress' }
  /** More text of an answer; `soFar` is all of it, where the wire has that. */
  | { kind: 'delta'; run: string | null; text: string; soFar: string | null }
  | { kind: 'end'; run: string | null; status: End; text: string | null }
  /** `messageId`: of the message that was refused, where the wire says so. */
  | { kind: 'refused'; code: string; messageId: string | null }
  /** Something this load never does happened to it: it was thrown out, or told of a gap. */
  | { kind: 'fault'; what: string };

/** Where a client is, and who it is. */
export interface Visit {
  sub: string;
  token: string;
  /** Id of a room, or else the name of a conversation of the user's own. */
  room: string | null;
  conversation: string;
}

export interface FaultWire {
  readonly name: 'rooms-v1' | 'chat-v1';
  /** Whether a message of ours is confirmed by a frame of its own; else the beginning of its answer does. */
  readonly confirms: boolean;
  /** Whether a frame says that we are in the room of the upgrade request. */
  readonly joins: boolean;
  path(visit: Visit, cursor: string): string;
  say(text: string, messageId: string, visit: Visit): object;
  cancel(messageId: string, visit: Visit): object;
  read(frame: WireFrame): Seen | null;
}

/** A frame as JSON has it. */
export interface WireFrame {
  type?: string;
  cursor?: string;
  code?: string;
  data?: Record<string, unknown>;
  [field: string]: unknown;
}

/** Codes of errors that end an answer; the others refuse a message. */
export const ENDING: ReadonlySet<unknown> = new Set([
  'PROCESSING_ERROR',
  'MODEL_NOT_ALLOWED',
  'UNKNOWN_PROVIDER',
]);

export function keyOf(sub: unknown, messageId: unknown): string {
  return `${String(sub)}/${String(messageId)}`;
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
