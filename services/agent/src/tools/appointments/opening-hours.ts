/** When the workshop takes vehicles: one per slot, a slot begins on the hour. */

/** Hours at which a slot begins, by day of the week from Sunday; knowledge/maintenance says the same. */
const WEEKDAY = [8, 9, 10, 11, 12, 13, 14, 15, 16];
const SLOT_HOURS = [[], WEEKDAY, WEEKDAY, WEEKDAY, WEEKDAY, WEEKDAY, [9, 10, 11]];
/** Bookings further ahead are refused. */
const MAX_DAYS_AHEAD = 365;

export interface SlotRefusal {
  reason: 'no_such_date' | 'past' | 'too_far_ahead' | 'closed' | 'outside_opening_hours';
  message: string;
}

/** The times at which slots begin on a date (YYYY-MM-DD), or none when closed or no date. */
export function slotsOn(date: string): string[] {
  const day = localDate(date, '00:00');
  const hours = day === null ? [] : (SLOT_HOURS[day.getDay()] ?? []);
  return hours.map((hour) => `${String(hour).padStart(2, '0')}:00`);
}

/** Why there is no such slot, or null when there is one. `now` and slots are in the process's time zone. */
export function refuseSlot(date: string, time: string, now: Date): SlotRefusal | null {
  const start = localDate(date, time);
  if (start === null) return { reason: 'no_such_date', message: `There is no ${date} ${time}.` };
  if (start <= now) return { reason: 'past', message: `${date} ${time} has passed.` };
  if (start.getTime() - now.getTime() > MAX_DAYS_AHEAD * 86_400_000)
    return { reason: 'too_far_ahead', message: `Bookings are taken ${MAX_DAYS_AHEAD} days ahead.` };
  const slots = slotsOn(date);
  if (slots.length === 0) return { reason: 'closed', message: `The workshop is closed on ${date}.` };
  if (!slots.includes(time))
    return { reason: 'outside_opening_hours', message: `On ${date} slots begin at ${slots.join(', ')}.` };
  return null;
}

/** `now` as the date and time that appointments use. */
export function localDateTime(now: Date): { date: string; time: string } {
  const two = (number: number) => String(number).padStart(2, '0');
  return {
    date: `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`,
    time: `${two(now.getHours())}:${two(now.getMinutes())}`,
  };
}

/** Null for what the calendar doesn't have, such as 30 February. */
function localDate(date: string, time: string): Date | null {
  const match = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d)$/.exec(`${date} ${time}`);
  if (match === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1).map(Number);
  const local = new Date(year, month - 1, day, hour, minute);
  const back = localDateTime(local);
  return back.date === date && back.time === time ? local : null;
}
