/** What of an answer made of stamps is missing, and what came twice. */
import { STAMP_CHARS } from './token-frame.ts';

export interface Wholeness {
  /** Stamps that never came. */
  lost: number;
  /** Stamps that came again, or late. */
  doubled: number;
}

/** Stamps grow from one to the next, so each that doesn't has come before; `tokens` were sent. */
export function wholenessOf(text: string, tokens: number): Wholeness {
  let last = -1;
  let rising = 0;
  let doubled = 0;
  for (let at = 0; at < text.length; at += STAMP_CHARS) {
    const stamp = text.slice(at, at + STAMP_CHARS);
    if (!/^[0-9a-z]{7} $/.test(stamp)) throw new Error(`an answer has ${JSON.stringify(stamp)} in it`);
    const value = Number.parseInt(stamp, 36);
    if (value > last) rising += 1;
    else doubled += 1;
    last = Math.max(last, value);
  }
  return { lost: Math.max(0, tokens - rising), doubled };
}
