/** What clamd's answer to INSTREAM means (clamd(8), clamd.conf(5)). */
import type { Verdict } from '../ports.ts';

/** With AlertExceedsMax clamd reports so what it has not looked at to the end: it is no finding. */
const OVER_LIMITS = 'Heuristics.Limits.Exceeded';
/** Above StreamMaxLength. */
const OVER_STREAM_MAX = 'INSTREAM size limit exceeded. ERROR';
/** Longest part of an answer that is passed on. */
const MAX_REASON = 200;

/** Clean for exactly `stream: OK` and nothing else. */
export function clamdVerdict(reply: string): Verdict {
  if (reply === 'stream: OK') return { verdict: 'clean' };
  const signature = /^stream: ([^\r\n]{1,1000}) FOUND$/.exec(reply)?.[1];
  if (signature?.startsWith(OVER_LIMITS)) return overLimits(`over the scanner's limits: ${signature}`);
  if (signature !== undefined) return { verdict: 'infected', signature: signature.slice(0, MAX_REASON) };
  return unknown(reply);
}

function overLimits(reason: string): Verdict {
  return { verdict: 'unknown', fault: 'limits', reason: reason.slice(0, MAX_REASON) };
}

/** An answer that is no verdict; the text goes into a log line, never to a client. */
export function unknown(reply: string): Verdict {
  const reason = `the scanner answered ${JSON.stringify(reply)}`;
  if (reply === OVER_STREAM_MAX) return overLimits(reason);
  return { verdict: 'unknown', fault: 'file', reason: reason.slice(0, MAX_REASON) };
}
