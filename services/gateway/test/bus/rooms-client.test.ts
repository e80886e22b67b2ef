import { type RoomsReply, type RoomsRequest, SUBJECTS } from '@natter/proto';
import { BusError } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { RoomsClient } from '../../src/bus/rooms-client.ts';

const question: RoomsRequest = { op: 'mine', who: { sub: 'alice', name: null, admin: false } };

/** A bus on which the first `failures` requests find nobody. */
function busAnswering(reply: unknown, failures = 0) {
  const asked: { subject: string; body: unknown }[] = [];
  const request = async (subject: string, data: Uint8Array | string) => {
    asked.push({ subject, body: JSON.parse(data.toString()) });
    if (asked.length <= failures) throw new BusError('UNAVAILABLE', 'nobody serves auth.rooms');
    return Buffer.from(JSON.stringify(reply));
  };
  return { request, asked };
}

describe('RoomsClient', () => {
  it('asks the auth service, again while nobody is there', async () => {
    const reply: RoomsReply = { ok: true, rooms: [] };
    const bus = busAnswering(reply, 2);
    expect(await new RoomsClient(bus, 3_000).ask(question)).toEqual(reply);
    expect(bus.asked).toEqual(
      Array.from({ length: 3 }, () => ({ subject: SUBJECTS.authRooms, body: question })),
    );
  });

  it('throws UNAVAILABLE when nobody answers in time', async () => {
    const bus = busAnswering(null, Number.POSITIVE_INFINITY);
    await expect(new RoomsClient(bus, 60).ask(question)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('takes no answer of another shape', async () => {
    const bus = busAnswering({ ok: true, rooms: [{ room: { key: '' } }] });
    await expect(new RoomsClient(bus, 1_000).ask(question)).rejects.toThrow();
  });
});
