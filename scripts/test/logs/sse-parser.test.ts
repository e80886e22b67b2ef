import { expect, test } from 'vitest';
import { SseParser } from '../../logs/sse-parser.ts';

const STREAM = [
  ': a comment\r\n\r\n',
  'retry: 500\r\n',
  'id: 7\r\ndata: {"log":"a"}\r\n\r\n',
  'data: one\ndata:two\ndata\n\n',
  'event: x\rid\rdata:  indented\r\r',
  'nonsense\nid: 9\n\n',
  'data: after\n\n',
].join('');

const EVENTS = [
  { data: '{"log":"a"}', id: '7' },
  { data: 'one\ntwo\n', id: '7' },
  { data: ' indented', id: '' },
  { data: 'after', id: '9' },
];

test.each([1, 2, 3, 7, 1_000])('events come out of pieces of %i characters', (size) => {
  const parser = new SseParser();
  const events = [];
  for (let at = 0; at < STREAM.length; at += size) events.push(...parser.push(STREAM.slice(at, at + size)));
  expect(events).toEqual(EVENTS);
  expect(parser.retryMs).toBe(500);
});

test('a byte order mark at the beginning is no part of the first line', () => {
  expect(new SseParser().push('\ufeffdata: a\n\n')).toEqual([{ data: 'a', id: null }]);
});

test('an event without an end is none', () => {
  expect(new SseParser().push('data: a\n')).toEqual([]);
});

test.each([
  ['one line', (text: string) => `data: ${text}\n\n`],
  ['many lines', (text: string) => `${text.replace(/.{1000}/g, 'data: $&\n')}\n`],
])('an event of %s that is too long is left out, and the next one is not', (_name, event) => {
  const parser = new SseParser();
  const stream = `${event('x'.repeat(1_100_000))}data: next\n\n`;
  const events = [];
  for (let at = 0; at < stream.length; at += 65_536)
    events.push(...parser.push(stream.slice(at, at + 65_536)));
  expect(events).toEqual([{ data: 'next', id: null }]);
  expect(parser.tooLong).toBe(1);
});
