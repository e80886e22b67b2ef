import { expect, test } from 'vitest';
import { printedLine } from '../../logs/printed-line.ts';

const PLAIN = { json: false, colour: false };
const COLOUR = { json: false, colour: true };

const event = (more: object = {}) =>
  JSON.stringify({
    log: 'slow',
    seq: 7,
    level: 'warn',
    service: 'agent',
    category: 'general',
    time: '2026-01-02T03:04:05.678Z',
    trace_id: null,
    fields: { pid: 1, afterMs: 12 },
    ...more,
  });

test('a line is printed as `npm start` prints it', () => {
  expect(printedLine(event(), PLAIN)).toBe('03:04:05 agent    WARN   slow  afterMs=12');
});

test('a category and a trace are shown where there is one', () => {
  const line = printedLine(event({ category: 'access', trace_id: 't1', fields: {} }), PLAIN);
  expect(line).toBe('03:04:05 agent    WARN   slow  category=access  traceId=t1');
});

test('lines are coloured by level, and only where colours are wanted', () => {
  expect(printedLine(event(), COLOUR)).toBe(`\u001b[33m${printedLine(event(), PLAIN)}\u001b[0m`);
  const beginning = (level: string) => printedLine(event({ level }), COLOUR).slice(0, 5);
  expect(beginning('error')).toBe('\u001b[31m');
  expect(beginning('debug')).toBe('\u001b[2m0');
  expect(printedLine(event({ level: 'info' }), COLOUR)).not.toContain('\u001b');
  expect(printedLine(event({ level: 'constructor' }), COLOUR)).not.toContain('\u001b');
});

test.each([
  [{ gap: 12 }, '… 12 lines missing here'],
  [{ gap: 1 }, '… 1 line missing here'],
  [{ gap: null }, '… lines are missing here'],
])('the gap %j is said', (gap, text) => {
  expect(printedLine(JSON.stringify(gap), PLAIN)).toBe(text);
});

test('a line cannot steer the terminal or begin another line', () => {
  const hostile = 'a\u001b[2J\u0007\r\n\u009b31m\u202eb';
  const printed = printedLine(event({ log: hostile, service: hostile, fields: { hostile } }), PLAIN);
  expect(printed).not.toMatch(/[\p{Cc}\u202e]/u);
  expect(printed).toContain('a\\u001b[2J\\u0007\\u000d\\n\\u009b31m\\u202eb');
  expect(printedLine('no JSON\u001b[2J', PLAIN)).toBe('no JSON\\u001b[2J');
});

test('as JSON, each line is what the gateway sent', () => {
  const sent = event({ log: 'a\n\u009bb' });
  const printed = printedLine(sent, { json: true, colour: true });
  expect(printed).not.toMatch(/\p{Cc}/u);
  expect(JSON.parse(printed)).toEqual(JSON.parse(sent));
  expect(printedLine('no JSON', { json: true, colour: false })).toBe('{"log":"no JSON"}');
});

test.each([['null'], ['[]'], ['{"log":7}'], ['{"log":"a","fields":null,"service":7}']])(
  'the odd event %s is printed too',
  (data) => {
    expect(printedLine(data, PLAIN)).not.toBe('');
  },
);
