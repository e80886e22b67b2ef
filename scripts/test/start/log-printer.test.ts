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
