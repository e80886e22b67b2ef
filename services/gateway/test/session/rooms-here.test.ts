import type { RoomsReply, RoomsRequest } from '@natter/proto';
import { createLogger } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { RoomsHere } from '../../src/session/rooms-here.ts';
import { openRooms, roomCalled } from './rig.ts';

function roomsHere(answer: (request: RoomsRequest) => Promise<RoomsReply> = openRooms()) {
  const asked: RoomsRequest[] = [];
  const watched: string[] = [];
  const here = new RoomsHere({
    presence: {
      watch: async (key) => void watched.push(key),
      unwatch: (key) => void watched.splice(watched.indexOf(key), 1),
      receive: () => undefined,
    },
    rooms: {
      ask: async (request) => {
        asked.push(request);
        return answer(request);
      },
    },
    announce: () => undefined,
    log: createLogger('gateway', 'silent'),
  });
  return { here, asked, watched };
}

function someone(here: RoomsHere, sub: string) {
  const self = {
    sub,
    removals: [] as string[],
    removed: (why: string) => {
      self.removals.push(why);
      for (const key of [...here.keys()]) here.exit(key, self);
    },
  };
  return self;
}

const [ONE, TWO] = [roomCalled('one'), roomCalled('two')];
const member = (sub: string, state: string) =>
  Buffer.from(JSON.stringify({ sub, name: null, role: 'member', state, by: 'bob', at: 1 }));

describe('RoomsHere', () => {
  it('forgets a room with the last who leaves it', async () => {
    const { here, watched } = roomsHere();
    const [alice, bob] = [someone(here, 'alice'), someone(here, 'bob')];
    await Promise.all([here.enter(ONE, alice), here.enter(ONE, bob)]);
    here.exit(ONE.key, alice);
    here.exit(ONE.key, alice);
    expect(here.countIn(ONE.key)).toBe(1);
    here.exit(ONE.key, bob);
    expect([...here.keys(), here.find(ONE.key)]).toEqual([null]);
    expect(watched).toEqual(['=one=life']);
  });

  it('removes whoever was thrown out while the broker was away, on all of their connections', async () => {
    const { here } = roomsHere(async (request) => {
      const reply = await openRooms()(request);
      const isBob = 'who' in request && request.who.sub === 'bob';
      return reply.ok && isBob
        ? { ok: true, rooms: reply.rooms.filter(({ room }) => room.id === 'two') }
        : reply;
    });
    const [alice, bob, bobsPhone, bobInTwo] = ['alice', 'bob', 'bob', 'bob'].map((sub) => someone(here, sub));
    if (!alice || !bob || !bobsPhone || !bobInTwo) throw new Error('four people');
    for (const one of [alice, bob, bobsPhone]) await here.enter(ONE, one);
    await here.enter(TWO, bobInTwo);
    await here.recheck();
    expect([alice, bob, bobsPhone, bobInTwo].map(({ removals }) => removals)).toEqual([
      [],
      ['removed'],
      ['removed'],
      [],
    ]);
    expect(here.countIn(ONE.key)).toBe(1);
  });

  it('asks once for all rooms of a user, and takes over what has changed in them', async () => {
    const { here, asked } = roomsHere(openRooms({ ai: 'never' }));
    const alice = someone(here, 'alice');
    await Promise.all([here.enter(ONE, alice), here.enter(TWO, alice)]);
    await here.recheck();
    expect(asked).toEqual([
      { op: 'access', who: { sub: 'alice', name: null, admin: false }, keys: [ONE.key, TWO.key] },
    ]);
    expect(here.find(ONE.key)?.ai).toBe('never');
  });

  it('removes nobody when nobody can tell who may stay, and says so', async () => {
    const { here } = roomsHere(async () => {
      throw new Error('no auth service');
    });
    const alice = someone(here, 'alice');
    await here.enter(ONE, alice);
    // Nothing is sent to them before somebody can (app.ts).
    expect(await here.recheck()).toBe(false);
    expect(alice.removals).toEqual([]);
  });

  it('removes the others although one of them can not be told', async () => {
    const { here } = roomsHere();
    const broken = {
      sub: 'alice',
      removed: () => {
        throw new Error('gone');
      },
    };
    const bob = someone(here, 'bob');
    await here.enter(ONE, broken);
    await here.enter(ONE, bob);
    here.room(ONE.key, new Uint8Array());
    expect(bob.removals).toEqual(['deleted']);
  });

  it.each(['member', 'invited'])('lets those stay who are %s', async (state) => {
    const { here } = roomsHere();
    const alice = someone(here, 'alice');
    await here.enter(ONE, alice);
    here.member(ONE.key, member('alice', state));
    here.member(ONE.key, new Uint8Array());
    expect(alice.removals).toEqual([]);
  });

  it('knows who was thrown out since they were let in, if it has heard of the room all the time', async () => {
    const { here } = roomsHere();
    const before = here.moment();
    expect(here.mayStay(ONE.key, 'carol', before)).toBeNull();
    await here.enter(ONE, someone(here, 'alice'));
    expect(here.mayStay(ONE.key, 'carol', before)).toBeNull();
    const letIn = here.moment();
    expect(here.mayStay(ONE.key, 'carol', letIn)).toBe(true);
    here.member(ONE.key, member('carol', 'banned'));
    expect(here.mayStay(ONE.key, 'carol', letIn)).toBe(false);
    expect(here.mayStay(ONE.key, 'carol', here.moment())).toBe(true);
    await here.recheck();
    expect(here.mayStay(ONE.key, 'carol', letIn)).toBeNull();
  });
});
