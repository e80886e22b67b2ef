/** The appointments of all customers, in a bucket that every agent shares. */
import { createHash } from 'node:crypto';
import { encodeToken } from '@natter/proto';
import { type Bucket, isBusError } from '@natter/runtime';
import { z } from 'zod';
import { localDateTime } from './opening-hours.ts';

/** Upcoming ones of one customer. */
export const MAX_APPOINTMENTS = 100;
/** Other agents may write the same customer at the same time; each loser reads and tries again. */
const MAX_WRITES = 10;

const Appointment = z.object({
  /** Short enough to be read out. */
  id: z.string(),
  service: z.string(),
  date: z.string(),
  time: z.string(),
  note: z.string().optional(),
  /** Which booking made it: digest of the run and its arguments. */
  key: z.string(),
});
export type Appointment = z.infer<typeof Appointment>;

const CustomerRecord = z.object({ appointments: z.array(Appointment) });
const SlotRecord = z.object({ customer: z.string(), key: z.string() });

export type BookingRequest = Pick<Appointment, 'service' | 'date' | 'time' | 'note'>;

export type Booked =
  | { outcome: 'booked'; appointment: Appointment }
  /** The customer had this slot before this booking. */
  | { outcome: 'already_yours'; appointment: Appointment }
  | { outcome: 'slot_taken' }
  | { outcome: 'too_many' };

export class AppointmentBook {
  readonly #bucket: Pick<Bucket, 'get' | 'create' | 'update' | 'delete'>;

  constructor(bucket: Pick<Bucket, 'get' | 'create' | 'update' | 'delete'>) {
    this.#bucket = bucket;
  }

  /** Appointments of a customer that have not passed, earliest first. */
  async upcoming(customerId: string, now: Date): Promise<Appointment[]> {
    const { appointments } = await this.#read(encodeToken(customerId));
    return appointments.filter((each) => !hasPassed(each, now)).sort(byTime);
  }

  /** Those of the given times on a date that nobody has booked. */
  async freeTimes(date: string, times: readonly string[]): Promise<string[]> {
    const slots = await Promise.all(times.map((time) => this.#bucket.get(slotKey(date, time))));
    return times.filter((_, index) => slots[index] === null);
  }

  /**
   * Books a slot.
   *
   * The slot is taken first, then the appointment is written to the customer. Both steps find
   * their own traces: an agent that is killed in between, or after, and books again with the same
   * run and arguments makes one appointment and gets the same answer.
   */
  async book(customerId: string, run: string, request: BookingRequest, now: Date): Promise<Booked> {
    const customer = encodeToken(customerId);
    const key = bookingKey(customer, run, request);
    const slot = await this.#takeSlot(customer, key, request);
    if (slot.customer !== customer) return { outcome: 'slot_taken' };
    // A slot of ours with another key: an earlier run took it, and may have died before it wrote.
    const appointment: Appointment = { id: slot.key.slice(0, 8).toUpperCase(), ...request, key: slot.key };
    const stored = await this.#write(customer, appointment, now);
    if (stored === null) {
      if (slot.key === key) await this.#bucket.delete(slotKey(request.date, request.time));
      return { outcome: 'too_many' };
    }
    return { outcome: slot.key === key ? 'booked' : 'already_yours', appointment: stored };
  }

  /** The record of the slot after trying to make it ours. */
  async #takeSlot(
    customer: string,
    key: string,
    request: BookingRequest,
  ): Promise<z.infer<typeof SlotRecord>> {
    const name = slotKey(request.date, request.time);
    const ours = { customer, key };
    for (let tries = 0; ; tries += 1) {
      try {
        await this.#bucket.create(name, JSON.stringify(ours));
        return ours;
      } catch (error) {
        if (!isBusError(error, 'CONFLICT') || tries >= MAX_WRITES) throw error;
      }
      const entry = await this.#bucket.get(name);
      if (entry !== null) return SlotRecord.parse(decode(entry.value));
    }
  }

  /** The customer's appointment with this key, written if it wasn't there; null when they have too many. */
  async #write(customer: string, appointment: Appointment, now: Date): Promise<Appointment | null> {
    for (let writes = 0; ; writes += 1) {
      const { appointments, revision } = await this.#read(customer);
      const existing = appointments.find(({ key }) => key === appointment.key);
      if (existing !== undefined) return existing;
      const upcoming = appointments.filter((each) => !hasPassed(each, now));
      if (upcoming.length >= MAX_APPOINTMENTS) return null;
      const value = JSON.stringify({ appointments: [...upcoming, appointment] });
      try {
        if (revision === null) await this.#bucket.create(customer, value);
        else await this.#bucket.update(customer, value, revision);
        return appointment;
      } catch (error) {
        if (!isBusError(error, 'CONFLICT') || writes >= MAX_WRITES) throw error;
      }
    }
  }

  async #read(customer: string): Promise<{ appointments: Appointment[]; revision: number | null }> {
    const entry = await this.#bucket.get(customer);
    if (entry === null) return { appointments: [], revision: null };
    return { ...CustomerRecord.parse(decode(entry.value)), revision: entry.revision };
  }
}

/** `encodeToken` makes no dot, so no customer has the key of a slot. */
function slotKey(date: string, time: string): string {
  return `slot.${date}.${time.replace(':', '-')}`;
}

function bookingKey(customer: string, run: string, request: BookingRequest): string {
  const { service, date, time, note } = request;
  return createHash('sha256')
    .update(JSON.stringify([customer, run, service, date, time, note ?? null]))
    .digest('hex')
    .slice(0, 32);
}

function hasPassed(appointment: Appointment, now: Date): boolean {
  const { date, time } = localDateTime(now);
  return `${appointment.date} ${appointment.time}` < `${date} ${time}`;
}

function byTime(a: Appointment, b: Appointment): number {
  return `${a.date} ${a.time}` < `${b.date} ${b.time}` ? -1 : 1;
}

function decode(value: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(value));
}
