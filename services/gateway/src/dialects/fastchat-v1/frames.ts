/** Frames of fastchat-v1, wire-exact. Source: PROTOCOLS, fastchat-v1. */
import type { ErrorCode } from '@natter/proto';

/** Ends the answer to a question; a text frame of its own, no JSON. */
export const END_MARKER = '--eof';

/** Begins a first frame that names tool servers, of clients that can't set headers. */
export const SERVERS_PREFIX = '__fastchat_additional_servers__:';

export const ACCEPTED = { status: 'success', detail: 'Connected: Connection Accepted' } as const;

/** Names and texts of the steps; only the names mean anything to clients. */
export const STEPS = {
  decompose: ['Task query decomposer', 'Reading the question and what it asks for.'],
  prompts: ['Select prompts', 'Choosing the prompt that answers it.'],
  service: ['Select service', 'Choosing the service that answers it.'],
} as const;

/** Names of Natter's own steps. */
export const NOTE_STEP = 'Note';
export const ERROR_STEP = 'Error';

/** Texts that differ from the table: no JSON is expected of a client here. */
export const ERROR_TEXTS: Partial<Record<ErrorCode, string>> = {
  INVALID_JSON: 'A question must be a text frame of UTF-8',
};

/** Errors of the upgrade request; no question is refused by them, so no end marker follows. */
const BEFORE_QUESTIONS: readonly ErrorCode[] = [
  'AUTH_REQUIRED',
  'INVALID_TOKEN',
  'TOKEN_EXPIRED',
  'INVALID_FIELD',
  'CURSOR_UNKNOWN',
  'ROOM_EXISTS',
  'ROOM_FULL',
  'TOO_MANY_ROOMS',
  'TOO_MANY_CONNECTIONS',
  'FORBIDDEN_ORIGIN',
];

/** Errors of which a client can't tell before the confirmation whether they are about a question. */
const AT_ANY_TIME: readonly ErrorCode[] = ['UNAVAILABLE', 'ROOM_DENIED', 'INTERNAL', 'SHUTTING_DOWN'];

export function endsQuestion(code: ErrorCode): boolean {
  return !BEFORE_QUESTIONS.includes(code);
}

/** Whether it may stand where clients expect the frame with `status` and `detail`. */
export function mayComeFirst(code: ErrorCode): boolean {
  return BEFORE_QUESTIONS.includes(code) || AT_ANY_TIME.includes(code);
}

export function stepFrame(step: string, message: string) {
  return { type: 'step', step, message, data: null };
}

/** ISO 8601 in UTC. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
