/** The tools by which a model finds and books maintenance appointments. */
import { z } from 'zod';
import type { Tool, ToolResult } from '../tool.ts';
import type { Appointment, AppointmentBook } from './appointment-book.ts';
import { refuseSlot, slotsOn } from './opening-hours.ts';

/** Most appointments in one result; the model has no use for a longer list. */
const MAX_LISTED = 20;

const date = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d$/, 'must be YYYY-MM-DD')
  .describe('YYYY-MM-DD');

const FindArguments = z.strictObject({
  date: date.optional().describe('YYYY-MM-DD. With it, the free times of that day are listed too.'),
});

const BookArguments = z.strictObject({
  service: z
    .enum(['oil_service', 'inspection', 'tyre_change', 'brake_check', 'diagnosis', 'other'])
    .describe('What is to be done.'),
  date,
  time: z
    .string()
    .regex(/^\d\d:\d\d$/, 'must be HH:MM')
    .describe('HH:MM, 24 hours. Slots begin on the hour.'),
  note: z.string().max(200).optional().describe('What the workshop should know, in a few words.'),
});

/** `find_appointments` and `book_appointment` on one book. */
export function createAppointmentTools(
  book: AppointmentBook,
): [Tool<z.infer<typeof FindArguments>>, Tool<z.infer<typeof BookArguments>>] {
  return [
    {
      name: 'find_appointments',
      description:
        "Lists the person's upcoming maintenance appointments and, for a given date, the free times of the workshop.",
      arguments: FindArguments,
      async call(args, { customerId, now }) {
        const upcoming = (await book.upcoming(customerId, now)).slice(0, MAX_LISTED).map(shown);
        if (args.date === undefined) return { ok: true, appointments: upcoming };
        const open = slotsOn(args.date).filter((time) => refuseSlot(args.date ?? '', time, now) === null);
        const free = await book.freeTimes(args.date, open);
        return { ok: true, appointments: upcoming, date: args.date, free_times: free };
      },
    },
    {
      name: 'book_appointment',
      description:
        'Books a maintenance appointment in the workshop. Use it only once the person has named the date and the time.',
      arguments: BookArguments,
      async call(args, { customerId, run, now }): Promise<ToolResult> {
        const refusal = refuseSlot(args.date, args.time, now);
        if (refusal !== null) return { ok: false, ...refusal };
        const booked = await book.book(customerId, run, args, now);
        if (booked.outcome === 'slot_taken') {
          const free = await book.freeTimes(args.date, slotsOn(args.date));
          return {
            ok: false,
            reason: 'slot_taken',
            message: `${args.date} ${args.time} is taken by somebody else.`,
            free_times: free.filter((time) => refuseSlot(args.date, time, now) === null),
          };
        }
        if (booked.outcome === 'too_many')
          return { ok: false, reason: 'too_many', message: 'There are too many appointments already.' };
        const already = booked.outcome === 'already_yours' ? { booked_earlier: true } : {};
        return { ok: true, appointment: shown(booked.appointment), ...already };
      },
    },
  ];
}

function shown({ key: _key, ...appointment }: Appointment): Omit<Appointment, 'key'> {
  return appointment;
}
