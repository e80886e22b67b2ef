import { conversationKey, roomKey } from '@natter/proto';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from '../../src/bus/cursor.ts';
import { runOf } from './hub-rig.ts';

const KEY = conversationKey('alice', 'a.b > *');
const POSITION = { log: 12_345, end: 12_340, run: runOf(7), at: 200_000, marks: 9 };

describe('a cursor', () => {
  it.each([
    [KEY, POSITION],
    [roomKey('room one', 'life'), { ...POSITION, run: '' }],
    [KEY, { log: 0, end: 0, run: '', at: 0, marks: 0 }],
    [KEY, { ...POSITION, log: Number.MAX_SAFE_INTEGER }],
  ])('comes back as it was', (conversation, position) => {
    expect(decodeCursor(encodeCursor(conversation, position))).toEqual({ conversation, ...position });
  });

  it('fits into a query with the longest ids there are', () => {
    const longest = encodeCursor(conversationKey('🚗'.repeat(32), '>'.repeat(128)), POSITION);
    expect(decodeCursor(longest)).not.toBeNull();
    expect(encodeURIComponent(longest).length).toBeLessThan(1_024);
  });

  const good = encodeCursor(KEY, POSITION);
  const [version, key, log, end, run, at, marks] = good.split('.');
  it.each([
    ['nothing', ''],
    ['another version', good.replace(/^c1/, 'c2')],
    ['a part more', `${good}.0`],
    ['a part less', good.slice(0, good.lastIndexOf('.'))],
    ['no conversation', [version, '', log, end, run, at, marks].join('.')],
    ['half a conversation', [version, 'alice=', log, end, run, at, marks].join('.')],
    ['a wildcard for a conversation', [version, '>', log, end, run, at, marks].join('.')],
    ['an escaped dot that no id makes', [version, 'alice=_2', log, end, run, at, marks].join('.')],
    ['bytes that are no text', [version, 'alice=_ff', log, end, run, at, marks].join('.')],
    ['a negative number', [version, key, '-1', end, run, at, marks].join('.')],
    ['a fraction', [version, key, '1e3 ', end, run, at, marks].join('.')],
    ['a number that is no safe integer', [version, key, 'zzzzzzzzzzz', end, run, at, marks].join('.')],
    ['a number of 12 digits', [version, key, log, '000000000001', run, at, marks].join('.')],
    ['an empty number', [version, key, log, end, run, '', marks].join('.')],
    ['a run that is none', [version, key, log, end, 'RUN', at, marks].join('.')],
    ['a run with a subject in it', [version, key, log, end, `${run}>`, at, marks].join('.')],
    ['a line break', `${good}\n`],
    ['too much', `${good}${'0'.repeat(1_024)}`],
    ['a mebibyte of dots', '.'.repeat(1_048_576)],
  ])('is none with %s', (_, text) => {
    expect(decodeCursor(text)).toBeNull();
  });

  it('is read or refused, and never thrown at, with any one character of it changed', () => {
    for (let index = 0; index < good.length; index += 1) {
      for (const character of ['.', '=', '_', '%', '\u0000', 'é', '🚗', '']) {
        const text = good.slice(0, index) + character + good.slice(index + 1);
        const cursor = decodeCursor(text);
        if (cursor !== null) expect(decodeCursor(encodeCursor(cursor.conversation, cursor))).toEqual(cursor);
      }
    }
  });
});
