import { expect, test } from 'vitest';
import { formatLine } from '../../start/log-printer.ts';

const line = (fields: object) =>
  JSON.stringify({ level: 'warn', time: '2026-01-02T03:04:05.678Z', service: 'agent', pid: 1, ...fields });

test('a log line becomes time, source, level, text and fields', () => {
  expect(formatLine('agent', line({ msg: 'slow', afterMs: 12, ports: { http: 1 } }))).toBe(
    '03:04:05 agent    WARN   slow  afterMs=12  ports={"http":1}',
  );
});

test('an error is shown by code and message, with its causes and without its stack', () => {
  const err = { type: 'Error', code: 'A', message: 'outer', stack: 'at x', cause: { message: 'inner' } };
  expect(formatLine('agent', line({ msg: 'failed', err }))).toBe(
    '03:04:05 agent    WARN   failed  (A outer (inner))',
  );
});

test('what is no log line is passed on with its source', () => {
  expect(formatLine('agent', 'Segmentation fault')).toBe('agent: Segmentation fault');
  expect(formatLine('agent', '{broken')).toBe('agent: {broken');
});

test('an error of somebody else may be anything', () => {
  const err = { code: { toString: 1 }, message: { toString: 1 }, cause: { message: 7, cause: 'text' } };
  expect(formatLine('shop', line({ msg: 'failed', err }))).toBe('03:04:05 shop     WARN   failed  ((7))');
});

test('no line moves the cursor, begins another line or turns its direction', () => {
  const hostile = '\u001b]0;title\u0007\r\n\u009b31m\u202e\u200f';
  const lines = [line({ msg: hostile, [hostile]: hostile, err: { message: hostile } }), hostile];
  for (const text of lines) expect(formatLine('shop', text)).not.toMatch(/[\p{Cc}\u200f\u202e]/u);
});
