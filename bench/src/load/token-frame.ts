/** What the latency figure reads out of a chat-v1 frame, without parsing the rest of it. */

const TOKEN = Buffer.from('{"type":"token","token":"');
const QUOTE = '"'.charCodeAt(0);
const SPACE = ' '.charCodeAt(0);

export const FRAME = { token: 'token', end: 'end', failed: 'failed', other: 'other' } as const;
export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

const ENDS = Buffer.from('{"type":"complete"');
const FAILS = Buffer.from('{"type":"error"');

export function kindOf(payload: Buffer): FrameKind {
  if (startsWith(payload, TOKEN)) return FRAME.token;
  if (startsWith(payload, ENDS)) return FRAME.end;
  return startsWith(payload, FAILS) ? FRAME.failed : FRAME.other;
}

/** Calls `stamp` for each token in the frame's new text; merged tokens are several. */
export function readStamps(payload: Buffer, stamp: (micros: number) => void): void {
  let value = 0;
  for (let at = TOKEN.length; at < payload.length; at += 1) {
    const byte = payload[at] as number;
    if (byte === QUOTE) return;
    if (byte === SPACE) {
      stamp(value);
      value = 0;
    } else {
      value = value * 36 + digit(byte);
    }
  }
  throw new Error('a token frame has no end');
}

/** 7 digits of base 36 hold 21 hours; with a space, not much longer than a real token. */
export const STAMP_CHARS = 8;

/** A stamp as the model writes it, always of the same length. */
export function writeStamp(micros: number): string {
  return `${Math.round(micros)
    .toString(36)
    .padStart(STAMP_CHARS - 1, '0')} `;
}

function digit(byte: number): number {
  return byte >= 97 ? byte - 87 : byte - 48;
}

function startsWith(payload: Buffer, prefix: Buffer): boolean {
  return payload.length >= prefix.length && payload.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;
}
