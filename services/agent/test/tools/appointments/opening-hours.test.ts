import { describe, expect, it } from 'vitest';
import { localDateTime, refuseSlot, slotsOn } from '../../../src/tools/appointments/opening-hours.ts';

/** A Monday. */
const now = new Date(2026, 0, 5, 12, 30);

describe('slotsOn', () => {
  it('has nine on a weekday, three on Saturday, none on Sunday', () => {
    expect(['2026-01-05', '2026-01-10', '2026-01-11'].map((date) => slotsOn(date).length)).toEqual([9, 3, 0]);
    expect(slotsOn('2026-01-10')).toEqual(['09:00', '10:00', '11:00']);
  });

  it('has none on a day that does not exist', () => {
    expect(slotsOn('2026-02-30')).toEqual([]);
  });
});

describe('refuseSlot', () => {
  it.each<[string, string, string | null]>([
    ['2026-01-05', '13:00', null],
    ['2026-01-06', '08:00', null],
    ['2026-01-05', '12:00', 'past'],
    ['2020-01-06', '10:00', 'past'],
    ['2026-01-11', '10:00', 'closed'],
    ['2026-01-06', '07:00', 'outside_opening_hours'],
    ['2026-01-06', '17:00', 'outside_opening_hours'],
    ['2026-01-06', '10:30', 'outside_opening_hours'],
    ['2026-02-30', '10:00', 'no_such_date'],
    ['2026-13-01', '10:00', 'no_such_date'],
    ['2026-01-06', '25:00', 'no_such_date'],
    ['2027-03-01', '10:00', 'too_far_ahead'],
  ])('%s %s is refused as %s', (date, time, reason) => {
    expect(refuseSlot(date, time, now)?.reason ?? null).toBe(reason);
  });
});

describe('localDateTime', () => {
  it('pads month, day, hour and minute', () => {
    expect(localDateTime(new Date(2026, 2, 4, 5, 6))).toEqual({ date: '2026-03-04', time: '05:06' });
  });
});
