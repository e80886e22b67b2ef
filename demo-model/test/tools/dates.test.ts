import { describe, expect, it } from 'vitest';
import { findDate, findTime, findToday } from '../../src/tools/dates.ts';

/** A Friday. */
const TODAY = '2026-11-20';

describe('findDate', () => {
  it.each([
    ['on 2026-12-01', '2026-12-01'],
    ['on 1st December 2026', '2026-12-01'],
    ['Dec 24, 2026', '2026-12-24'],
    ['today', '2026-11-20'],
    ['the day after tomorrow', '2026-11-22'],
    ['next Monday', '2026-11-23'],
    ['on Friday', '2026-11-27'],
  ])('reads %j', (text, date) => {
    expect(findDate(text, TODAY)?.value).toBe(date);
  });

  it.each(['2026-13-01', '31 June 2026', 'soon', 'in May'])('finds no date in %j', (text) => {
    expect(findDate(text, TODAY)).toBeNull();
  });

  it('leaves the rest of the sentence', () => {
    expect(findDate('tyres on 2026-12-01 please', TODAY)?.rest).toBe('tyres on \n please');
  });
});

describe('findTime', () => {
  it.each([
    ['at 9:05', '09:05'],
    ['10am', '10:00'],
    ['12:30 pm', '12:30'],
    ['12 a.m.', '00:00'],
    ["at 15 o'clock", '15:00'],
  ])('reads %j', (text, time) => {
    expect(findTime(text)?.value).toBe(time);
  });

  it('finds no time in a bare number', () => {
    expect(findTime('4 tyres')).toBeNull();
  });
});

describe('findToday', () => {
  it('reads the day that a prompt names', () => {
    expect(findToday('Help.\nToday is Friday, 2026-11-20; it is 10:00.')).toBe('2026-11-20');
    expect(findToday('Help.')).toBeNull();
  });
});
