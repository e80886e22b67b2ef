/** Whether a decoded frame is within the bounds that sessions rely on. */
import { ERRORS, TurnOptions } from '@natter/proto';
import type { Decoded } from '../../../services/gateway/src/session/dialect.ts';

/** Of `Decoded`; a client is shown it. */
const DETAIL_CHARS = 100;
const ID_BYTES = 128;
/** As in CursorFields of rooms-v1. */
const MAX_CURSORS = 65;
const CURSOR_CHARS = 4_096;
const CODES = new Set(Object.keys(ERRORS));
const IDS = new Set(['session', 'room', 'messageId', 'customerId', 'user', 'conversation', 'file']);
const MAX_DEPTH = 6;
/** Escapes and digits never grow when they are read; a binary frame's id does, to 36 characters. */
const SLACK_CHARS = 64;

/** What is wrong with it, or null; `bytes` is the length of the frame. */
export function commandProblem(decoded: Decoded, bytes: number): string | null {
  if (decoded.ok === true) return valueProblem(decoded.command, bytes + SLACK_CHARS, 'command', 0);
  if (decoded.ok !== false) return 'neither ok nor refused';
  const { code, detail, file, chunk } = decoded;
  if (!CODES.has(code)) return `a code that nobody knows: ${code}`;
  if (detail !== undefined && (detail.length > DETAIL_CHARS || !detail.isWellFormed()))
    return 'a detail that is too long, or no text';
  if (file !== undefined && !isId(file)) return 'the id of a file';
  if (chunk !== undefined && !(Number.isSafeInteger(chunk) && chunk >= 0)) return 'the number of a part';
  return null;
}

function valueProblem(value: unknown, limit: number, key: string, depth: number): string | null {
  if (typeof value === 'string') return textProblem(value, limit, key);
  if (typeof value === 'number') return Number.isFinite(value) ? null : `${key} is ${value}`;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return null;
  if (key === 'options') return optionsProblem(value);
  if (depth > MAX_DEPTH) return `${key} is too deep`;
  if (Array.isArray(value)) return key === 'cursors' ? cursorsProblem(value) : `${key} is a list`;
  if (Object.getPrototypeOf(value) !== Object.prototype) return `${key} has a prototype of its own`;
  for (const name of Object.keys(value)) {
    const found = valueProblem((value as Record<string, unknown>)[name], limit, name, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

function textProblem(text: string, limit: number, key: string): string | null {
  if (text.length > limit) return `${key} is longer than the frame`;
  // No message: whatever is being answered.
  return IDS.has(key) && text !== '' && !isId(text) ? `${key} is no id` : null;
}

function optionsProblem(options: object): string | null {
  if (Object.keys(options).length === 0) return null;
  const { success, error } = TurnOptions.safeParse(options);
  return success ? null : `options are none: ${String(error.issues[0]?.path.join('.'))}`;
}

function cursorsProblem(cursors: unknown[]): string | null {
  const good = (cursor: unknown) => typeof cursor === 'string' && cursor.length <= CURSOR_CHARS;
  return cursors.length <= MAX_CURSORS && cursors.every(good) ? null : 'cursors';
}

/** As `isClientId` of proto says it, in other words. */
function isId(text: string): boolean {
  return text.length > 0 && text.isWellFormed() && Buffer.byteLength(text) <= ID_BYTES;
}
