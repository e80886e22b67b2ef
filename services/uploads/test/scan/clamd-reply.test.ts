import { describe, expect, it } from 'vitest';
import { clamdVerdict } from '../../src/scan/clamd-reply.ts';

describe('clamdVerdict', () => {
  it('takes exactly `stream: OK` for clean', () => {
    expect(clamdVerdict('stream: OK')).toEqual({ verdict: 'clean' });
  });

  it.each(['stream: Win.Test.EICAR_HDB-1 FOUND', 'stream: A b FOUND'])('takes %j for a finding', (reply) => {
    const signature = reply.slice('stream: '.length, -' FOUND'.length);
    expect(clamdVerdict(reply)).toEqual({ verdict: 'infected', signature });
  });

  it.each([
    ['stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND', 'limits'],
    ['INSTREAM size limit exceeded. ERROR', 'limits'],
    ['stream: Can not allocate memory ERROR', 'file'],
    ['', 'file'],
  ])('says whose fault %j is: %s', (reply, fault) => {
    expect(clamdVerdict(reply)).toMatchObject({ verdict: 'unknown', fault });
  });

  it.each([
    'stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND',
    'stream: Heuristics.Limits.Exceeded FOUND',
    'INSTREAM size limit exceeded. ERROR',
    'stream: Can not allocate memory ERROR',
    'UNKNOWN COMMAND',
    '',
    'stream: OK\n',
    'stream: ok',
    ' stream: OK',
    'stream: OK stream: OK',
    '1: stream: OK',
    'stream:  FOUND',
    'stream: a\nstream: OK FOUND',
    'x'.repeat(5_000),
  ])('takes %j for no verdict, with a short reason', (reply) => {
    const verdict = clamdVerdict(reply);
    expect(verdict.verdict).toBe('unknown');
    expect(verdict.verdict === 'unknown' && verdict.reason.length).toBeLessThanOrEqual(200);
  });
});
