/**
 * Cursors: how far a reader has come in one conversation.
 *
 * Runs of a conversation happen one after the other, so a place in its log, a place among the ends
 * of its runs and an offset in the newest run say all. None of them is a secret or a right: who
 * resumes is asked anew whether they may be there.
 */
import { conversationName, isRunId } from '@natter/proto';

export interface Position {
  /** Sequence in MESSAGES of the last entry of the log. */
  log: number;
  /** Sequence in MESSAGES of the record of the last run that ended. */
  end: number;
  /** The newest run; empty before the first one. */
  run: string;
  /** How much of its answer was sent, in UTF-16 code units. */
  at: number;
  /** How many of its other events were sent. */
  marks: number;
}

export interface Cursor extends Position {
  conversation: string;
}

const VERSION = 'c1';
/** A key of two encoded ids of 128 bytes, and the numbers. */
const MAX_CHARS = 1_024;

export function encodeCursor(conversation: string, { log, end, run, at, marks }: Position): string {
  const numbers = `${log.toString(36)}.${end.toString(36)}.${run}.${at.toString(36)}.${marks.toString(36)}`;
  return `${VERSION}.${conversation}.${numbers}`;
}

/** Null for a text that is no cursor of ours. */
export function decodeCursor(text: string): Cursor | null {
  if (text.length > MAX_CHARS) return null;
  const [version, conversation = '', log, end, run = '', at, marks, ...more] = text.split('.');
  if (version !== VERSION || more.length > 0 || conversationName(conversation) === null) return null;
  if (run !== '' && !isRunId(run)) return null;
  const numbers = [log, end, at, marks].map(sequence);
  const [logSeq, endSeq, offset, seen] = numbers;
  if (logSeq == null || endSeq == null || offset == null || seen == null) return null;
  return { conversation, log: logSeq, end: endSeq, run, at: offset, marks: seen };
}

function sequence(text: string | undefined): number | null {
  if (text === undefined || !/^[0-9a-z]{1,11}$/.test(text)) return null;
  const number = Number.parseInt(text, 36);
  return Number.isSafeInteger(number) ? number : null;
}
