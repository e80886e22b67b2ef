import { conversationKey, type RoomsReply } from '@natter/proto';
import { BusError } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { encodeCursor } from '../../src/bus/cursor.ts';
import { errors, notices, openRooms, principal, type Rig, rig, roomCalled, settle, signedIn } from './rig.ts';

const join = (room: string) => ({ type: 'join', room, roomType: null, name: null, ai: null });
const START = { log: 0, end: 0, run: '', at: 0, marks: 0 };
const KEY = roomCalled('r').key;
const types = (one: Rig) =>
  notices(one).map(({ type, why }) => (why === undefined ? type : `${type} ${why}`));
const member = (sub: string, state: string) =>
  Buffer.from(JSON.stringify({ sub, name: null, role: 'member', state, by: 'bob', at: 1 }));

async function say(one: Rig, ...commands: unknown[]): Promise<void> {
  for (const command of commands) one.say(command);
  await settle();
}

async function inRoom(options = {}): Promise<Rig> {
  const one = await signedIn(options);
  await say(one, join('r'));
  expect(types(one)).toEqual(['joined']);
  return one;
}

/** What a connection must not leave behind. */
const traces = (one: Rig) => [one.watching(), one.present, [...one.roomsHere.keys()]];
const NONE = [[], [], []];

describe('a room', () => {
  it('that is joined is watched, and the user is there', async () => {
    const one = await inRoom();
    expect(traces(one)).toEqual([[KEY], [`${KEY} alice`], [KEY]]);
    expect(one.session.rooms).toEqual(['r']);
  });

  it('joined twice is watched once, and said to be joined both times', async () => {
    const one = await inRoom();
    await say(one, join('r'));
    expect(types(one)).toEqual(['joined', 'joined']);
    expect(one.watched).toHaveLength(1);
  });

  it('of the upgrade request is joined on arrival, and questions go there', async () => {
    const one = await signedIn({ opening: { room: { id: 'r', type: 'shared', name: 'R' } } });
    expect(one.asked[0]).toMatchObject({ op: 'join', id: 'r', type: 'shared', name: 'R' });
    one.ask('hi');
    await settle();
    expect(one.stored.map(({ conversation }) => conversation)).toEqual([KEY]);
  });

  it('that is left is watched no more, and the end of the membership is told', async () => {
    const one = await inRoom();
    await say(one, { type: 'leave', room: 'r' });
    expect(types(one)).toEqual(['joined', 'left left']);
    expect(traces(one)).toEqual(NONE);
    expect(one.asked.at(-1)).toMatchObject({ op: 'leave', id: 'r' });
  });

  it('is left behind when the connection ends', async () => {
    const one = await inRoom();
    one.session.ended();
    expect(traces(one)).toEqual(NONE);
  });

  it.each([
    ['removed', 'left removed'],
    ['banned', 'left banned'],
    ['left', 'left left'],
  ])('is not theirs any more once they are %s', async (state, told) => {
    const one = await inRoom();
    one.roomsHere.member(KEY, member('bob', state));
    expect(types(one)).toEqual(['joined']);
    one.roomsHere.member(KEY, member('alice', state));
    expect(types(one)).toEqual(['joined', told]);
    expect(traces(one)).toEqual(NONE);
  });

  it('is nobody’s any more once it is deleted', async () => {
    const one = await inRoom();
    one.roomsHere.room(KEY, new Uint8Array());
    expect(types(one)).toEqual(['joined', 'left deleted']);
    expect(traces(one)).toEqual(NONE);
  });

  it('of which somebody was thrown out takes nothing they say, until they join anew', async () => {
    const one = await inRoom();
    one.roomsHere.member(KEY, member('alice', 'removed'));
    one.ask('still here', { room: 'r' });
    await settle();
    expect(errors(one)).toEqual(['ROOM_DENIED']);
    await say(one, join('r'));
    one.ask('back', { room: 'r' });
    await settle();
    expect(one.stored.map(({ text }) => text)).toEqual(['back']);
  });

  it('answers by its newest rules', async () => {
    const one = await inRoom();
    one.roomsHere.room(KEY, Buffer.from(JSON.stringify(roomCalled('r', { ai: 'never' }))));
    one.ask('hi', { room: 'r' });
    await settle();
    expect([one.stored.length, one.appended.length]).toEqual([0, 1]);
  });
});

describe('an admission', () => {
  it('that is refused leaves nothing behind', async () => {
    const one = await signedIn();
    one.rooms = async (): Promise<RoomsReply> => ({ ok: false, code: 'ROOM_FULL' });
    await say(one, join('r'));
    expect(errors(one)).toEqual(['ROOM_FULL']);
    expect(traces(one)).toEqual(NONE);
  });

  it('that fails on the broker leaves nothing behind', async () => {
    const one = await signedIn();
    one.admission = () => Promise.reject(new BusError('UNAVAILABLE', 'away'));
    await say(one, join('r'));
    expect(errors(one)).toEqual(['UNAVAILABLE']);
    expect(traces(one)).toEqual(NONE);
    expect(types(one)).toEqual([]);
  });

  it('of somebody thrown out meanwhile ends with that', async () => {
    const one = await signedIn();
    one.rooms = async (request) => (request.op === 'access' ? { ok: true, rooms: [] } : openRooms()(request));
    await say(one, join('r'));
    expect(types(one)).toEqual(['left removed']);
    expect(traces(one)).toEqual(NONE);
  });

  it('that can not be confirmed is none', async () => {
    const one = await signedIn();
    one.rooms = async (request) =>
      request.op === 'access' ? { ok: false, code: 'UNAVAILABLE' } : openRooms()(request);
    await say(one, join('r'));
    expect(errors(one)).toEqual(['UNAVAILABLE']);
    expect(traces(one)).toEqual(NONE);
  });

  it('is not shown a room it was thrown out of while it was being brought up to date', async () => {
    const one = await signedIn();
    const { promise, resolve } = Promise.withResolvers<void>();
    one.admission = () => promise;
    await say(one, join('r'));
    one.roomsHere.member(KEY, member('alice', 'banned'));
    resolve();
    await settle();
    expect(types(one)).toEqual(['left banned']);
    expect(traces(one)).toEqual(NONE);
  });

  it('of a connection that ends meanwhile leaves nothing behind', async () => {
    const one = await signedIn();
    const { promise, resolve } = Promise.withResolvers<void>();
    one.admission = () => promise;
    await say(one, join('r'));
    one.session.ended();
    resolve();
    await settle();
    expect(traces(one)).toEqual(NONE);
  });

  it('of a conversation that another device led to first is the only one of it', async () => {
    const own = conversationKey('alice', 'mine');
    const one = await signedIn({ manner: { offlineQueue: true, watches: true } });
    const { promise, resolve } = Promise.withResolvers<void>();
    one.rooms = async (request) => {
      await promise;
      return openRooms({ key: own, id: 'mine', type: 'private' })(request);
    };
    await say(one, join('mine'));
    one.listeners.get('alice')?.({ type: 'run.begun', conversation: own, run: 'r', connection: 'other' });
    await settle();
    expect(one.watching()).toEqual([own]);
    resolve();
    await settle();
    expect(one.watching()).toEqual([own]);
    expect(one.session.rooms).toEqual(['mine']);
    // It goes on where the device left it.
    expect(one.watched.at(-1)?.options.since).toMatchObject({ log: 7, end: 7 });
  });
});

describe('conversations one connection watches', () => {
  const manner = { watches: true };

  it('are 64 at most: the own one used least gives way', async () => {
    const one = await signedIn({ manner });
    for (let number = 0; number < 64; number += 1) one.ask('hi', { session: `s${number}` });
    for (let round = 0; round < 2; round += 1) await settle();
    one.ask('hi', { session: 's0' });
    one.ask('hi', { session: 'one more' });
    await settle();
    expect(errors(one)).toEqual([]);
    expect(one.watching()).toHaveLength(64);
    expect(one.watching()).toContain(conversationKey('alice', 's0'));
    expect(one.watching()).not.toContain(conversationKey('alice', 's1'));
  });

  it('are refused when rooms take all the places: they don’t give way', async () => {
    const one = await signedIn({ manner });
    for (let number = 0; number < 64; number += 1) {
      one.say(join(`r${number}`));
      await settle();
    }
    await say(one, join('one more'));
    one.ask('hi', { session: 'own' });
    await settle();
    expect(errors(one)).toEqual(['TOO_MANY_ROOMS', 'TOO_MANY_ROOMS']);
    expect(one.watching()).toHaveLength(64);
    expect(one.roomsHere.find(roomCalled('one more').key)).toBeNull();
    // Or they were a member of a room that this connection doesn't watch.
    expect(one.asked.filter((request) => 'id' in request && request.id === 'one more')).toEqual([]);
    await say(one, join('r0'));
    expect(types(one).at(-1)).toBe('joined');
  });

  it('of another device are watched when a run begins there, and nobody else’s are', async () => {
    const one = await signedIn({ manner: { ...manner, offlineQueue: true } });
    const hear = one.listeners.get('alice');
    hear?.({ type: 'run.begun', conversation: conversationKey('bob', 's'), run: 'r', connection: 'other' });
    hear?.({ type: 'run.begun', conversation: roomCalled('r').key, run: 'r', connection: 'other' });
    hear?.({
      type: 'run.begun',
      conversation: conversationKey('alice', 'x'),
      run: 'r',
      connection: one.session.id,
    });
    await settle();
    expect(one.watching()).toEqual([]);
    hear?.({ type: 'run.begun', conversation: conversationKey('alice', 's'), run: 'r', connection: 'other' });
    await settle();
    expect(one.watching()).toEqual([conversationKey('alice', 's')]);
  });
});

describe('a room whose cursor came with the token', () => {
  /** Signed in by an auth service that says at once where they may be. */
  async function told(rooms: string[], more: { resume?: string[]; setUp?: (one: Rig) => void } = {}) {
    const resume = more.resume ?? [encodeCursor(KEY, START)];
    const one = rig({ opening: { credential: { token: 'alice', use: 'access' }, resume } });
    const verdict = principal('alice', Math.floor(one.clock.now() / 1_000) + 60);
    const views = rooms.map((id) => ({ room: roomCalled(id), role: 'member' as const }));
    one.verdicts.alice = { ...verdict, rooms: views };
    more.setUp?.(one);
    one.session.open();
    await settle();
    return one;
  }

  it('is gone on with by what the auth service said of both', async () => {
    const seated = { sub: 'bob', removed: () => undefined };
    const one = await told(['r'], {
      setUp: ({ roomsHere }) => void roomsHere.enter(roomCalled('r'), seated),
    });
    expect(one.askedWithToken).toEqual([KEY]);
    expect(types(one)).toEqual(['resumed']);
    expect(one.session.rooms).toEqual(['r']);
    expect(one.asked).toEqual([]);
  });

  it('is unknown where they may not be', async () => {
    const one = await told([]);
    expect(errors(one)).toEqual(['CURSOR_UNKNOWN']);
    expect(traces(one)).toEqual(NONE);
  });

  it('is asked for once more by the first to be there, who may have been thrown out unheard', async () => {
    const one = await told(['r'], {
      setUp: (self) => {
        self.rooms = async () => ({ ok: true, rooms: [] });
      },
    });
    expect(one.asked).toMatchObject([{ op: 'access', keys: [KEY] }]);
    expect(types(one)).not.toContain('resumed');
    expect(traces(one)).toEqual(NONE);
  });

  it('is not gone on with by who was thrown out after the auth service had answered', async () => {
    const seated = { sub: 'bob', removed: () => undefined };
    const one = await told(['r'], {
      setUp: ({ roomsHere, verdicts, context }) => {
        void roomsHere.enter(roomCalled('r'), seated);
        context.auth.verify = async () => {
          const verdict = verdicts.alice;
          if (verdict === undefined || verdict === 'down') throw new Error('no verdict');
          roomsHere.member(KEY, member('alice', 'removed'));
          return verdict;
        };
      },
    });
    expect(types(one)).not.toContain('resumed');
    expect(one.session.rooms).toEqual([]);
  });

  it('is asked for by itself where the auth service did not say, or there are more than four', async () => {
    const unsaid = await signedIn({ opening: { resume: [encodeCursor(KEY, START)] } });
    expect(unsaid.askedWithToken).toEqual([KEY]);
    expect(unsaid.asked[0]).toMatchObject({ op: 'access', keys: [KEY], who: { sub: 'alice' } });
    const five = ['a', 'b', 'c', 'd', 'e'].map((id) => encodeCursor(roomCalled(id).key, START));
    const many = await signedIn({ opening: { resume: five } });
    expect(many.askedWithToken).toEqual([]);
    expect(many.session.rooms).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

describe('a cursor', () => {
  const own = encodeCursor(conversationKey('alice', 's'), { ...START, log: 3, end: 3 });

  it('of an own conversation is where it goes on', async () => {
    const one = await signedIn({ opening: { resume: [own] } });
    expect(one.watched.map(({ key, options }) => [key, options.since?.log])).toEqual([
      [conversationKey('alice', 's'), 3],
    ]);
    expect(notices(one)).toMatchObject([
      { type: 'resumed', place: { room: null, session: 's' }, recovered: true },
    ]);
  });

  it('of a room is where it goes on, if the user may be there now', async () => {
    const one = await signedIn();
    await say(one, { type: 'resume', cursors: [encodeCursor(KEY, START)] });
    expect(types(one)).toEqual(['resumed']);
    expect(one.session.rooms).toEqual(['r']);
    expect(one.asked[0]).toEqual({
      op: 'access',
      who: { sub: 'alice', name: null, admin: false },
      keys: [KEY],
    });
  });

  it.each([
    ['of somebody else', encodeCursor(conversationKey('bob', 's'), START)],
    ['of a room they may not be in', encodeCursor(KEY, START)],
    ['that is none', 'c1.x'],
  ])('%s is unknown, and those behind it count', async (_, bad) => {
    const one = await signedIn();
    one.rooms = async () => ({ ok: true, rooms: [] });
    await say(one, { type: 'resume', cursors: [bad, own] });
    expect(errors(one)).toEqual(['CURSOR_UNKNOWN']);
    expect(types(one)).toEqual(['resumed']);
    expect(one.closed).toBeNull();
  });

  it('that is unknown ends a session that needs no token', async () => {
    const one = await signedIn({ manner: { anonymous: true }, opening: { resume: ['c1.x'] } });
    expect(one.closed?.code).toBe(4004);
  });

  it('of what is watched already begins there anew', async () => {
    const one = await inRoom();
    await say(one, { type: 'resume', cursors: [encodeCursor(KEY, START)] });
    expect(one.watching()).toEqual([KEY]);
    expect(one.present).toEqual([`${KEY} alice`]);
  });
});

describe('what was said while the user was away', () => {
  const manner = { offlineQueue: true, watches: true };

  it('comes on arrival from rooms they have not joined, and they watch none of them', async () => {
    const one = await signedIn({ manner });
    expect(one.watched).toEqual([]);
    one.positions.set(KEY, START);
    one.verdicts.carol = principal('carol', Math.floor(one.clock.now() / 1_000) + 60);
    await say(one, { type: 'authenticate', token: 'carol' });
    expect(one.watched.map(({ key, options }) => [key, options.queued, options.missedLimit])).toEqual([
      [KEY, true, 100],
    ]);
    expect(one.watching()).toEqual([]);
    // What they have been sent is not sent again.
    expect(one.positions.get(KEY)).toMatchObject({ log: 7, end: 7 });
    expect(one.session.backlog).toBe(0);
  });

  it('does not come from a namesake of a room that is joined here', async () => {
    const one = await signedIn({ manner, opening: { room: { id: 'r', type: null, name: null } } });
    const other = '=r=another';
    one.positions.set(other, START);
    one.verdicts.carol = principal('carol', Math.floor(one.clock.now() / 1_000) + 60);
    await say(one, { type: 'authenticate', token: 'carol' });
    expect(one.asked.at(-1)).toMatchObject({ op: 'access', keys: [other] });
    expect(one.watched.map(({ key }) => key)).toEqual([KEY, KEY]);
  });

  it('does not come from a room that they were thrown out of while it was read', async () => {
    const one = await signedIn({ manner });
    one.positions.set(KEY, START);
    const { promise, resolve } = Promise.withResolvers<void>();
    one.admission = async () => {
      one.watched[0]?.options.send('{"said":"secret"}');
      await promise;
    };
    one.verdicts.carol = principal('carol', Math.floor(one.clock.now() / 1_000) + 60);
    await say(one, { type: 'authenticate', token: 'carol' });
    expect(one.asked).toMatchObject([{ op: 'access', keys: [KEY], named: true }]);
    one.rooms = async () => ({ ok: true, rooms: [] });
    resolve();
    await settle();
    expect(one.asked).toHaveLength(2);
    expect(JSON.stringify(one.sent)).not.toContain('secret');
    expect(one.positions.get(KEY)).toEqual(START);
  });

  it('is not looked for where nothing was said', async () => {
    const one = await signedIn({ manner });
    one.positions.set(KEY, { ...START, log: 9, end: 9 });
    one.verdicts.carol = principal('carol', Math.floor(one.clock.now() / 1_000) + 60);
    await say(one, { type: 'authenticate', token: 'carol' });
    expect(one.watched).toEqual([]);
  });

  it('comes to a room that is joined from where they were', async () => {
    const one = await signedIn({ manner });
    one.positions.set(KEY, { ...START, log: 3 });
    await say(one, join('r'));
    expect(one.watched[0]?.options).toMatchObject({ since: { log: 3 }, queued: true });
  });

  it('is counted from where the connection was when it ended', async () => {
    const one = await inRoom({ manner });
    one.session.ended();
    expect(one.positions.get(KEY)).toMatchObject({ log: 7, end: 7 });
  });

  it('is counted from time to time', async () => {
    const one = await inRoom({ manner });
    one.positions.clear();
    one.clock.advance(4_999);
    one.session.tick(one.clock.now());
    expect(one.positions.size).toBe(0);
    one.clock.advance(1);
    one.session.tick(one.clock.now());
    await settle();
    expect(one.positions.get(KEY)).toMatchObject({ log: 7, end: 7 });
  });

  it('is counted once while nothing is said, and tried again where that failed', async () => {
    const one = await inRoom({ manner });
    let written = 0;
    one.context.positions.write = async () => {
      written += 1;
      if (written === 1) throw new BusError('UNAVAILABLE', 'the broker is away');
    };
    for (let time = 0; time < 4; time += 1) {
      one.clock.advance(5_000);
      one.session.tick(one.clock.now());
      await settle();
    }
    expect(written).toBe(2);
  });
});

describe('room commands', () => {
  it.each(['invite', 'add', 'kick', 'ban', 'unban'])('%s people, and say so', async (action) => {
    const one = await signedIn();
    await say(one, { type: 'moderate', action, room: 'r', user: 'carol' });
    expect(one.asked).toMatchObject([{ op: action, id: 'r', user: 'carol' }]);
    expect(notices(one)).toMatchObject([{ type: 'moderated', action, room: 'r', user: 'carol' }]);
  });

  it('change when the AI answers', async () => {
    const one = await signedIn();
    await say(one, { type: 'set_ai', room: 'r', ai: 'mention' });
    expect(one.asked).toMatchObject([{ op: 'update', id: 'r', ai: 'mention' }]);
    expect(types(one)).toEqual(['moderated']);
  });

  it('are refused as the auth service says, and above the rate', async () => {
    const one = await signedIn();
    one.rooms = async () => ({ ok: false, code: 'NOT_MODERATOR' });
    await say(one, { type: 'moderate', action: 'kick', room: 'r', user: 'carol' });
    one.retryAfter.user = 4;
    await say(one, { type: 'set_ai', room: 'r', ai: 'never' });
    expect(errors(one)).toEqual(['NOT_MODERATOR', 'RATE_LIMIT']);
    expect(notices(one)).toEqual([]);
  });

  it('of joining, leaving and resuming are refused above the rate too', async () => {
    const one = await inRoom();
    one.asked.length = 0;
    one.retryAfter.user = 4;
    await say(one, join('another'), { type: 'leave', room: 'r' });
    const cursor = encodeCursor(KEY, START);
    await say(one, { type: 'resume', cursors: [cursor, cursor, cursor] });
    expect(errors(one)).toEqual(['RATE_LIMIT', 'RATE_LIMIT', 'RATE_LIMIT']);
    expect(one.asked).toEqual([]);
    expect(one.session.rooms).toEqual(['r']);
  });

  it('of the upgrade request are refused to a user who comes back too often', async () => {
    const resume = [encodeCursor(KEY, START)];
    const room = { id: 'r', type: null, name: null };
    const one = rig({ opening: { credential: { token: 'alice', use: 'access' }, room, resume } });
    one.context.arrivals = { take: () => 7 };
    one.session.open();
    await settle();
    expect(one.sent.at(-1)).toMatchObject({ error: 'RATE_LIMIT', retryAfter: 7 });
    expect(one.asked).toEqual([]);
  });

  it('tell nobody of typing in a large room', async () => {
    const one = await inRoom();
    for (let number = 0; number < 200; number += 1)
      await one.roomsHere.enter(roomCalled('r'), { sub: `u${number}`, removed: () => undefined });
    await say(one, { type: 'typing', room: 'r', conversation: null, isTyping: true });
    expect(one.live).toEqual([]);
    expect(errors(one)).toEqual([]);
  });

  it('tell of typing in rooms that are joined, and in own conversations', async () => {
    const one = await inRoom();
    const typing = (room: string | null, conversation: string | null) => ({
      type: 'typing',
      room,
      conversation,
      isTyping: true,
    });
    await say(one, typing('r', null), typing(null, 's'), typing('another', null));
    const own = conversationKey('alice', 's');
    expect(one.live.map(({ key, event }) => [key, event.sub, event.connection])).toEqual([
      [KEY, 'alice', one.session.id],
      [own, 'alice', one.session.id],
    ]);
    expect(one.typing).toEqual([`${KEY} alice true`, `${own} alice true`]);
    expect(errors(one)).toEqual(['ROOM_DENIED']);
  });
});
