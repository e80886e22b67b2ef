import { LOG_LINE_BYTES, LogLine } from '@natter/proto';
import { expect, test } from 'vitest';
import { shippedLine } from '../../src/logs/shipped-line.ts';

const line = (fields: object) =>
  JSON.stringify({
    level: 'info',
    time: '2026-01-02T03:04:05.678Z',
    service: 'agent',
    msg: 'said',
    ...fields,
  });

test('a line that names no category is general, and stays as it is', () => {
  expect(shippedLine(line({ a: 1 }))).toMatchObject({ text: line({ a: 1 }), category: 'general' });
});

test('a category is the one of the line itself, not of something in it', () => {
  expect(shippedLine(line({ category: 'access' })).category).toBe('access');
  expect(shippedLine(line({ inner: { category: 'access' } })).category).toBe('general');
});

test.each([['no name'], [''], ['x'.repeat(65)], ['a.>'], [7]])(
  'the category %j is none, and becomes general in the line too',
  (category) => {
    const { text, bytes, category: shipped } = shippedLine(line({ category }));
    expect(shipped).toBe('general');
    expect(LogLine.parse(JSON.parse(text)).category).toBe('general');
    expect(bytes).toBe(Buffer.byteLength(text));
  },
);

test('a line that is too long loses its fields, and keeps text, category and trace', () => {
  const big = { blob: 'x'.repeat(LOG_LINE_BYTES), category: 'access', traceId: 't1' };
  const { text, category } = shippedLine(line(big));
  expect(category).toBe('access');
  expect(JSON.parse(text)).toEqual({
    ...JSON.parse(line({})),
    category: 'access',
    traceId: 't1',
    truncated: true,
  });
});

test.each([
  ['letters', 'x'],
  ['control characters', '\u0001'],
  ['quotes', '"'],
  ['emoji', '🦊'],
  ['lone surrogates', '\ud800'],
])('a text of %s that is too long loses its end', (_name, unit) => {
  const { text, bytes } = shippedLine(line({ msg: unit.repeat(3 * LOG_LINE_BYTES) }));
  expect(bytes).toBe(Buffer.byteLength(text));
  expect(bytes).toBeLessThanOrEqual(LOG_LINE_BYTES);
  expect(bytes).toBeGreaterThan(LOG_LINE_BYTES - 200);
  const { msg, truncated } = JSON.parse(text);
  expect(truncated).toBe(true);
  expect(unit.repeat(3 * LOG_LINE_BYTES).startsWith(msg.slice(0, -2))).toBe(true);
});

test('a long line that is no JSON is cut as well', () => {
  expect(shippedLine('x'.repeat(2 * LOG_LINE_BYTES)).bytes).toBeLessThanOrEqual(LOG_LINE_BYTES);
});
