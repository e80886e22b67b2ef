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

  describe('asked whether users may be in a room each', () => {
    const who = (sub: string) => ({ sub, name: null, admin: false });
    const view = (id: string) => ({
      room: { key: `=${id}=1`, id, name: id, type: 'shared', ai: 'always', owner: 'alice', createdAt: 1 },
      role: 'member',
    });
    const access = (client: RoomsClient, sub: string, ...keys: string[]) =>
      client.ask({ op: 'access', who: who(sub), keys });

    it('asks for many at once, and gives each their own answer', async () => {
      const bus = busAnswering({ ok: true, views: [view('a'), null] });
      const client = new RoomsClient(bus, 3_000);
      const replies = await Promise.all([access(client, 'bob', '=a=1'), access(client, 'carol', '=a=1')]);
      expect(replies).toEqual([
        { ok: true, rooms: [view('a')] },
        { ok: true, rooms: [] },
      ]);
      const asks = ['bob', 'carol'].map((sub) => ({ who: who(sub), key: '=a=1' }));
      expect(bus.asked).toEqual([{ subject: SUBJECTS.authAccessMany, body: { asks } }]);
    });

    it('tells each that nobody can tell', async () => {
      const bus = busAnswering({ ok: false, code: 'UNAVAILABLE' });
      const client = new RoomsClient(bus, 3_000);
      const replies = await Promise.all([access(client, 'bob', '=a=1'), access(client, 'carol', '=b=1')]);
      expect(replies).toEqual([bus, bus].map(() => ({ ok: false, code: 'UNAVAILABLE' })));
    });

    it('asks alone for one, for several rooms, for names, and for conversations of their own', async () => {
      const bus = busAnswering({ ok: true, rooms: [] });
      const client = new RoomsClient(bus, 3_000);
      await access(client, 'bob', '=a=1');
      await Promise.all([
        access(client, 'bob', '=a=1', '=b=1'),
        access(client, 'bob', 'bob=a'),
        client.ask({ op: 'access', who: who('bob'), keys: ['=a=1'], named: true }),
      ]);
      expect(bus.asked.map(({ subject }) => subject)).toEqual(bus.asked.map(() => SUBJECTS.authRooms));
      expect(bus.asked).toHaveLength(4);
    });

    it('asks again while nobody is there', async () => {
      const bus = busAnswering({ ok: true, views: [view('a'), view('b')] }, 1);
      const client = new RoomsClient(bus, 3_000);
      const replies = await Promise.all([access(client, 'bob', '=a=1'), access(client, 'carol', '=b=1')]);
      expect(replies.map((reply) => reply.ok && reply.rooms.length)).toEqual([1, 1]);
    });
  });
});
