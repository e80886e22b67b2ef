/**
 * Parses the large frames of rooms-v1, those with a part in base64, without looking at the part twice.
 *
 * As text and JSON a part of 1 MiB costs 4 to 6 ms, this way less than 1. The value is cut out first,
 * and what is around it parsed as any frame. Only the plain shape is taken; whoever sends another one
 * gets the same answer from `parseObject`, later.
 */
import { objectOf, parseObject } from '../json-object.ts';

/** Below this nothing is gained that anybody would notice. */
const LARGE_BYTES = 8 * 1024;
/** Before the value, and behind it; clients send some 200 bytes in all. */
const AROUND_BYTES = 4 * 1024;

const NAME = 'chunk_data';
const KEY = Buffer.from(`"${NAME}":`);
const QUOTE = 0x22;
const SPACE = 0x20;

/** The frame with bytes as its `data.chunk_data`; null: it may be anything, parse it. */
export function parseChunkFrame(bytes: Uint8Array): Record<string, unknown> | null {
  if (bytes.length < LARGE_BYTES) return null;
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const begin = beginOfValue(frame);
  if (begin === -1) return null;
  const end = frame.indexOf(QUOTE, begin);
  if (end === -1 || frame.length - end > AROUND_BYTES) return null;
  const around = Buffer.concat([frame.subarray(0, begin), frame.subarray(end)]);
  if (!namesItOnce(around)) return null;
  const parsed = parseObject(around);
  const data = objectOf(parsed?.data);
  // The value is that of the only key of this name: not of another object, nor of an earlier `data`.
  if (data === null || !Object.hasOwn(data, NAME)) return null;
  const part = fromPlainBase64(frame.toString('latin1', begin, end));
  if (part === null) return null;
  data[NAME] = part;
  return parsed;
}

/** Where the value's first character is, or -1. Python writes a space before it. */
function beginOfValue(frame: Buffer): number {
  const key = frame.subarray(0, AROUND_BYTES).indexOf(KEY);
  if (key === -1) return -1;
  let at = key + KEY.length;
  if (frame[at] === SPACE) at += 1;
  return frame[at] === QUOTE ? at + 1 : -1;
}

/** No second key, nor one that is spelled with escapes or only ends like it: `"x\"chunk_data"`. */
function namesItOnce(around: Buffer): boolean {
  return !around.includes('\\') && around.indexOf(NAME) === around.lastIndexOf(NAME);
}

/**
 * What `fromBase64` of decode-upload.ts takes, and null for all that it might not.
 *
 * Node skips what is no base64, so the length tells whether there was any, or a character too few; it
 * takes `-` and `_` for `+` and `/`; and what it does not look at, bits behind the last byte, is in the
 * last 4 characters.
 */
function fromPlainBase64(text: string): Uint8Array | null {
  if (text.includes('-') || text.includes('_')) return null;
  const last = text.slice(-4);
  const padding = last.endsWith('==') ? 2 : Number(last.endsWith('='));
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== (text.length / 4) * 3 - padding) return null;
  return bytes.toString('base64', bytes.length - 3 + padding) === last ? bytes : null;
}
