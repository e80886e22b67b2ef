/** Finds a date or a time of day in a sentence. */

export interface Found {
  /** YYYY-MM-DD, or HH:MM. */
  value: string;
  /** The sentence with a line break where it stood. */
  rest: string;
}

const MONTHS = 'january february march april may june july august september october november december'.split(
  ' ',
);
const MONTH = `(${MONTHS.map((name) => `${name}|${name.slice(0, 3)}\\.?`).join('|')})`;
const ISO = /\b(\d{4})-(\d{2})-(\d{2})\b/;
const DAY_FIRST = new RegExp(`\\b(\\d{1,2})(?:st|nd|rd|th)?(?: of)? ${MONTH},? (\\d{4})\\b`, 'i');
const MONTH_FIRST = new RegExp(`\\b${MONTH} (\\d{1,2})(?:st|nd|rd|th)?,? (\\d{4})\\b`, 'i');
const WEEKDAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');
const RELATIVE = new RegExp(
  `\\b(?:(?:this|next) )?(the day after tomorrow|tomorrow|today|${WEEKDAYS.join('|')})\\b`,
  'i',
);

/** `today` is YYYY-MM-DD. Null when there is no date that exists. */
export function findDate(text: string, today: string): Found | null {
  const iso = ISO.exec(text);
  if (iso) return found(text, iso, date(Number(iso[1]), Number(iso[2]), Number(iso[3])));
  const dayFirst = DAY_FIRST.exec(text);
  if (dayFirst)
    return found(text, dayFirst, date(Number(dayFirst[3]), month(dayFirst[2]), Number(dayFirst[1])));
  const monthFirst = MONTH_FIRST.exec(text);
  if (monthFirst)
    return found(text, monthFirst, date(Number(monthFirst[3]), month(monthFirst[1]), Number(monthFirst[2])));
  const relative = RELATIVE.exec(text);
  if (relative === null) return null;
  const days = daysAhead(relative[1]?.toLowerCase() ?? '', new Date(Date.parse(today)).getUTCDay());
  return found(text, relative, new Date(Date.parse(today) + days * 86_400_000).toISOString().slice(0, 10));
}

/** A weekday is the next one after today. */
function daysAhead(word: string, weekday: number): number {
  if (word === 'today') return 0;
  if (word === 'tomorrow') return 1;
  const at = WEEKDAYS.indexOf(word);
  return at === -1 ? 2 : ((at - weekday + 6) % 7) + 1;
}

/** The date of a prompt that says "Today is Monday, 2026-11-23", or null. */
export function findToday(instructions: string): string | null {
  const stated = /\btoday is (?:[a-z]{3,9},? )?(\d{4})-(\d{2})-(\d{2})\b/i.exec(instructions);
  return stated === null ? null : date(Number(stated[1]), Number(stated[2]), Number(stated[3]));
}

const CLOCK = /\b([01]?\d|2[0-3]):([0-5]\d)(?:\s?([ap])\.?m\b\.?)?/i;
const HOUR = /\b(1[0-2]|0?[1-9])\s?([ap])\.?m\b\.?/i;
const O_CLOCK = /\b([01]?\d|2[0-3])\s?o'?clock\b/i;

/** A time of day on the 24-hour clock, or null. */
export function findTime(text: string): Found | null {
  const clock = CLOCK.exec(text);
  if (clock) return found(text, clock, time(Number(clock[1]), clock[2] ?? '00', clock[3]));
  const hour = HOUR.exec(text);
  if (hour) return found(text, hour, time(Number(hour[1]), '00', hour[2]));
  const oClock = O_CLOCK.exec(text);
  return oClock ? found(text, oClock, time(Number(oClock[1]), '00', undefined)) : null;
}

function found(text: string, match: RegExpExecArray, value: string | null): Found | null {
  if (value === null) return null;
  return { value, rest: `${text.slice(0, match.index)}\n${text.slice(match.index + match[0].length)}` };
}

function month(name = ''): number {
  return MONTHS.findIndex((full) => full.startsWith(name.toLowerCase().slice(0, 3))) + 1;
}

function date(year: number, monthOfYear: number, day: number): string | null {
  const text = [year, pad(monthOfYear), pad(day)].join('-');
  const real = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(real.getTime()) && real.toISOString().startsWith(text) ? text : null;
}

function time(hour: number, minutes: string, half: string | undefined): string {
  const isAfternoon = half?.toLowerCase() === 'p';
  const onClock = half === undefined || hour > 12 ? hour : (hour % 12) + (isAfternoon ? 12 : 0);
  return `${pad(onClock)}:${minutes}`;
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
