import { BUCKETS } from '@natter/proto';
import { type Bucket, Bus, createLogger, ensureTopology } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppointmentBook, MAX_APPOINTMENTS } from '../../../src/tools/appointments/appointment-book.ts';
import { createAppointmentTools } from '../../../src/tools/appointments/appointment-tools.ts';
import { createToolBox, type ToolBox } from '../../../src/tools/tool-box.ts';

const log = createLogger('test', 'silent');
/** A Monday. */
const now = new Date(2026, 0, 5, 12, 0);
const NAMES = ['find_appointments', 'book_appointment'];

let server: NatsServer;
let bus: Bus;
let bucket: Bucket;
let box: ToolBox;
beforeAll(async () => {
  server = await startNatsServer();
  bus = await Bus.connect({ url: server.url, name: 'test' }, log);
  await ensureTopology(bus, { replicas: 1, transcriptDays: 1 });
  bucket = await bus.bucket(BUCKETS.appointments);
  box = createToolBox(createAppointmentTools(new AppointmentBook(bucket)));
});
afterAll(async () => {
  await bus.close();
  await server.stop();
});

async function call(customerId: string, run: string, tool: string, args: object) {
  const context = { run, customerId, now, log };
  return JSON.parse(await box.call({ id: 'c', tool, arguments: JSON.stringify(args) }, NAMES, context));
}
const book = (customerId: string, run: string, args: object) =>
  call(customerId, run, 'book_appointment', args);
const find = (customerId: string, args: object = {}) => call(customerId, 'r', 'find_appointments', args);

describe('booking', () => {
  it('is found afterwards, by that customer only', async () => {
    const booked = await book('alice>.*', 'run1', {
      service: 'inspection',
      date: '2026-01-06',
      time: '10:00',
    });
    expect(booked).toMatchObject({ ok: true, appointment: { service: 'inspection', time: '10:00' } });
    expect((await find('alice>.*')).appointments).toEqual([booked.appointment]);
    expect((await find('bob')).appointments).toEqual([]);
  });

  it('twice by the same run with the same arguments makes one appointment and the same answer', async () => {
    const args = { service: 'oil_service', date: '2026-01-06', time: '11:00', note: 'noisy' };
    const first = await book('carol', 'run2', args);
    const again = await book('carol', 'run2', args);
    expect(again).toEqual(first);
    expect((await find('carol')).appointments).toHaveLength(1);
  });

  it('is finished by the repeat when the agent died between slot and customer', async () => {
    const args = { service: 'oil_service', date: '2026-01-06', time: '12:00' } as const;
    const dying = new AppointmentBook({
      get: (key) => bucket.get(key),
      create: (key, value) =>
        key.startsWith('slot.') ? bucket.create(key, value) : Promise.reject(new Error('killed')),
      update: () => Promise.reject(new Error('killed')),
      delete: (key) => bucket.delete(key),
    });
    await expect(dying.book('dave', 'run3', args, now)).rejects.toThrow('killed');
    const repeated = await book('dave', 'run3', args);
    expect(repeated).toMatchObject({ ok: true });
    expect(repeated.booked_earlier).toBeUndefined();
    expect((await find('dave')).appointments).toHaveLength(1);
  });

  it('of a slot that the customer has already says so and makes no second one', async () => {
    const slot = { date: '2026-01-07', time: '10:00' };
    await book('erin', 'run4', { ...slot, service: 'diagnosis' });
    const again = await book('erin', 'run5', { ...slot, service: 'inspection' });
    expect(again).toMatchObject({ ok: true, booked_earlier: true, appointment: { service: 'diagnosis' } });
    expect((await find('erin')).appointments).toHaveLength(1);
  });

  it('of a slot that somebody else has is refused, with what is free', async () => {
    await book('frank', 'run6', { service: 'other', date: '2026-01-10', time: '10:00' });
    expect(
      await book('grace', 'run7', { service: 'other', date: '2026-01-10', time: '10:00' }),
    ).toMatchObject({
      ok: false,
      reason: 'slot_taken',
      free_times: ['09:00', '11:00'],
    });
  });

  it('by many at once gives the slot to one', async () => {
    const customers = Array.from({ length: 10 }, (_, n) => `racer${n}`);
    const args = { service: 'other', date: '2026-01-08', time: '09:00' };
    const results = await Promise.all(customers.map((customer) => book(customer, `run-${customer}`, args)));
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
  });

  it('of several slots by one customer at once keeps them all', async () => {
    const times = ['08:00', '09:00', '10:00', '11:00', '12:00'];
    const booking = times.map((time) =>
      book('heidi', 'run8', { service: 'other', date: '2026-01-09', time }),
    );
    expect((await Promise.all(booking)).every(({ ok }) => ok)).toBe(true);
    const found = await find('heidi');
    expect(found.appointments.map(({ time }: { time: string }) => time)).toEqual(times);
  });

  it.each([
    [{ service: 'other', date: '2026-01-02', time: '10:00' }, 'past'],
    [{ service: 'other', date: '2026-01-11', time: '10:00' }, 'closed'],
    [{ service: 'other', date: '2026-01-06', time: '20:00' }, 'outside_opening_hours'],
    [{ service: 'wash', date: '2026-01-06', time: '10:00' }, 'bad_arguments'],
    [{ service: 'other', date: 'tomorrow', time: '10:00' }, 'bad_arguments'],
  ])('%j is refused as %s', async (args, reason) => {
    expect(await book('ivan', 'run9', args)).toMatchObject({ ok: false, reason });
    expect((await find('ivan')).appointments).toEqual([]);
  });

  it('beyond the most a customer may have is refused and leaves the slot free', async () => {
    const many = Array.from({ length: MAX_APPOINTMENTS }, (_, n) => ({
      id: `${n}`,
      service: 'other',
      date: '2026-02-02',
      time: '08:00',
      key: `k${n}`,
    }));
    await bucket.create('judy', JSON.stringify({ appointments: many }));
    const args = { service: 'other', date: '2026-01-12', time: '09:00' };
    expect(await book('judy', 'run10', args)).toMatchObject({ ok: false, reason: 'too_many' });
    expect(await book('kim', 'run11', args)).toMatchObject({ ok: true });
  });
});

describe('finding', () => {
  it('lists what is free on a day, without what has passed', async () => {
    await book('leo', 'run12', { service: 'other', date: '2026-01-05', time: '14:00' });
    expect((await find('mia', { date: '2026-01-05' })).free_times).toEqual(['13:00', '15:00', '16:00']);
    expect((await find('mia', { date: '2026-01-11' })).free_times).toEqual([]);
  });

  it('lists nothing that has passed', async () => {
    const past = { id: 'x', service: 'other', date: '2025-12-01', time: '10:00', key: 'k' };
    await bucket.create('nina', JSON.stringify({ appointments: [past] }));
    expect((await find('nina')).appointments).toEqual([]);
  });
});
