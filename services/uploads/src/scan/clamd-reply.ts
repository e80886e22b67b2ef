/** What clamd's answer to INSTREAM means (clamd(8), clamd.conf(5)). */
import type { Verdict } from '../ports.ts';

/** With AlertExceedsMax clamd reports so what it has not looked at to the end: it is no finding. */
const OVER_LIMITS = 'Heuristics.Limits.Exceeded';
/** Longest part of an answer that is passed on. */
const MAX_REASON = 200;

/** Clean for exactly `stream: OK` and nothing else. */
export function clamdVerdict(reply: string): Verdict {
  if (reply === 'stream: OK') return { verdict: 'clean' };
  const signature = /^stream: ([^\r\n]{1,1000}) FOUND$/.exec(reply)?.[1];
  if (signature?.startsWith(OVER_LIMITS))
    return { verdict: 'unknown', reason: `over the scanner's limits: ${signature}`.slice(0, MAX_REASON) };
  if (signature !== undefined) return { verdict: 'infected', signature: signature.slice(0, MAX_REASON) };
  return unknown(reply);
}

/** An answer that is no verdict; the text goes into a log line, never to a client. */
export function unknown(reply: string): Verdict {
  return { verdict: 'unknown', reason: `the scanner answered ${JSON.stringify(reply)}`.slice(0, MAX_REASON) };
}
