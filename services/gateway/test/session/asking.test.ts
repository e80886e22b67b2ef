import { type AiMode, conversationKey, type RunEvent, type Turn } from '@natter/proto';
import { BusError } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { runId } from '../../src/bus/run-id.ts';
import { confirmed, errors, METADATA, notices, openRooms, type Rig, settle, signedIn } from './rig.ts';

const delta = (at: number, text: string): RunEvent => ({ type: 'text.delta', at, text });
const completed = (text: string): RunEvent => ({ type: 'run.completed', text, metadata: METADATA });
const events = ({ sent }: Rig) => sent.flatMap(({ event }) => (event === undefined ? [] : [event]));

async function asking(one: Rig, ...texts: string[]): Promise<void> {
  for (const text of texts) one.ask(text);
  await settle();
}

describe('a question', () => {
  it('is confirmed only when the broker has it', async () => {
    const one = await signedIn();
    const { promise, resolve } = Promise.withResolvers<{ duplicate: boolean }>();
    one.storeResult = () => promise;
    one.ask('hi', { messageId: 'm1' });
    await settle();
    expect(notices(one)).toEqual([]);
    resolve({ duplicate: false });
    await settle();
    expect(confirmed(one)).toEqual(['delivered m1']);
  });

  it('carries who asks, the options of the connection and its own', async () => {
    const one = await signedIn({ opening: { session: 's', options: { model: 'small', temperature: 0 } } });
    one.ask('hi', { messageId: 'm1', customerId: 'c', options: { model: 'big' } });
    await settle();
    const conversation = conversationKey('alice', 's');
    expect(one.stored).toEqual([
      {
        run: runId('alice', conversation, 'm1'),
        conversation,
        sub: 'alice',
        messageId: 'm1',
        text: 'hi',
        customerId: 'c',
        askedAt: one.clock.now(),
        options: { model: 'big', temperature: 0 },
      },
    ]);
  });

  it('that names no conversation is in the one of those before it', async () => {
    const one = await signedIn();
    await asking(one, 'first', 'second');
    expect(one.followed[0]?.conversation).toBe(one.followed[1]?.conversation);
    expect(one.followed[0]?.run).not.toBe(one.followed[1]?.run);
  });

  it.each([
    ['', 'EMPTY_MESSAGE'],
    [' \n\t', 'EMPTY_MESSAGE'],
    ['x'.repeat(16_001), 'MESSAGE_TOO_LONG'],
  ])('of %j is refused', async (text, code) => {
    const one = await signedIn();
    await asking(one, text);
    expect(errors(one)).toEqual([code]);
    expect(one.stored).toEqual([]);
  });

  it('is one too many above the cap, and there is room again after an answer', async () => {
    const one = await signedIn();
    await asking(one, 'a', 'b', 'c', 'd');
    expect(errors(one)).toEqual(['TOO_MANY_TURNS']);
    one.emit(0, completed('done'));
    await asking(one, 'e');
    expect(one.stored).toHaveLength(4);
  });

  it('is one run when the same id comes twice, and counts once', async () => {
    const one = await signedIn();
    for (const messageId of ['m1', 'm2', 'm3', 'm1']) one.ask('a', { messageId });
    await settle();
    expect(errors(one)).toEqual([]);
    expect(one.stored).toHaveLength(3);
    one.emit(0, completed('done'));
    expect(events(one)).toEqual([delta(0, 'done'), completed('done')]);
  });

  it('that was stored before is looked for on the broker', async () => {
    const one = await signedIn();
    one.storeResult = async () => ({ duplicate: true });
    one.ask('a', { messageId: 'm1' });
    await settle();
    expect(one.followed[0]?.repaired).toBe(1);
  });

  it('that could not be stored is forgotten, and the client is told why and nothing else', async () => {
    const one = await signedIn();
    one.storeResult = async () => {
      throw new BusError('UNAVAILABLE', 'broker away: nats://10.0.0.1:4222');
    };
    await asking(one, 'a');
    expect(errors(one)).toEqual(['UNAVAILABLE']);
    expect(JSON.stringify(one.sent)).not.toContain('10.0.0.1');
    expect(one.followed[0]?.stopped).toBe(true);
    one.storeResult = async () => {
      throw new BusError('SUBJECT_FULL', 'full');
    };
    await asking(one, 'b');
    expect(errors(one)).toEqual(['UNAVAILABLE', 'TOO_MANY_TURNS']);
  });

  it('goes on when the connection ends, without it', async () => {
    const one = await signedIn();
    await asking(one, 'a');
    one.session.ended();
    expect(one.followed[0]?.stopped).toBe(true);
    await asking(one, 'b');
    expect(one.stored).toHaveLength(1);
  });
});

describe('a question while another one is unanswered', () => {
  const turn = (sub: string, run: string): Turn => ({
    run,
    conversation: conversationKey('alice', 's'),
    sub,
    messageId: 'm',
    text: 't',
    customerId: null,
    askedAt: 1,
  });
  const [mine, theirs] = ['a'.repeat(26), 'b'.repeat(26)];

  it('is refused where the client wants that', async () => {
    const one = await signedIn({ opening: { onBusy: 'reject' } });
    one.idleResult = async () => false;
    await asking(one, 'hi');
    expect(errors(one)).toEqual(['BUSY']);
    expect(notices(one)).toEqual([]);
    expect(one.followed[0]?.stopped).toBe(true);
  });

  it('interrupts it where the client wants that, but only their own', async () => {
    const one = await signedIn({ opening: { session: 's' } });
    one.waiting = [turn('alice', mine), turn('bob', theirs)];
    one.say({ type: 'set_on_busy', onBusy: 'interrupt' });
    await asking(one, 'hi');
    expect(one.appended.map(({ entry }) => [entry.type, 'run' in entry && entry.run])).toEqual([
      ['run.cancel_requested', mine],
    ]);
    expect(one.stored).toHaveLength(1);
  });

  it('does not interrupt itself when it is sent again', async () => {
    const one = await signedIn({ opening: { session: 's', onBusy: 'interrupt' } });
    one.waiting = [turn('alice', runId('alice', conversationKey('alice', 's'), 'm1'))];
    one.storeResult = async () => ({ duplicate: true });
    one.ask('hi', { messageId: 'm1' });
    await settle();
    expect(one.appended).toEqual([]);
  });

  it('waits its turn where the client says nothing', async () => {
    const one = await signedIn({ opening: { session: 's' } });
    one.waiting = [turn('alice', mine)];
    await asking(one, 'hi');
    expect([one.appended, one.stored.length]).toEqual([[], 1]);
  });
});

describe('a message in a watched conversation', () => {
  const manner = { watches: true };

  it('is told to those who watch at once, and not to the one who said it', async () => {
    const one = await signedIn({ manner });
    await asking(one, 'hi');
    expect(one.followed).toEqual([]);
    expect(one.appended.map(({ entry }) => entry.type)).toEqual(['message.posted']);
    expect([...one.muted]).toEqual([one.stored[0]?.run]);
  });

  it('comes back where the wire has it so', async () => {
    const one = await signedIn({ manner: { ...manner, echo: true } });
    await asking(one, 'hi');
    expect(one.muted.size).toBe(0);
  });

  it('is told to other devices of the user where the wire has that', async () => {
    const one = await signedIn({ manner: { ...manner, offlineQueue: true } });
    await asking(one, 'hi');
    const { conversation, run } = one.stored[0] ?? {};
    expect(one.told).toMatchObject([{ type: 'run.begun', conversation, run, connection: one.session.id }]);
  });

  it('is a question although it could not be shown', async () => {
    const one = await signedIn({ manner });
    one.appendResult = async () => {
      throw new BusError('UNAVAILABLE', 'away');
    };
    await asking(one, 'hi');
    expect(errors(one)).toEqual([]);
    expect(confirmed(one)).toHaveLength(1);
  });

  it('that was refused leaves nobody deaf', async () => {
    const one = await signedIn({ manner, opening: { onBusy: 'reject' } });
    one.idleResult = async () => false;
    await asking(one, 'hi');
    expect(errors(one)).toEqual(['BUSY']);
    expect(one.muted.size).toBe(0);
  });

  it('sent again before its answer is told once: it comes to all who watch', async () => {
    const one = await signedIn({ manner });
    one.storeResult = async () => ({ duplicate: true });
    one.ask('hi', { messageId: 'm' });
    await settle();
    expect(one.followed).toEqual([]);
    expect(confirmed(one)).toEqual(['delivered m']);
  });

  it('sent again after its answer gets it from its beginning', async () => {
    const one = await signedIn({ manner, opening: { session: 's' } });
    const run = runId('alice', conversationKey('alice', 's'), 'm');
    one.ended.set(run, { seq: 1, message: {} });
    one.storeResult = async () => ({ duplicate: true });
    one.ask('hi', { messageId: 'm' });
    await settle();
    expect(one.followed.map((followed) => [followed.run, followed.repaired])).toEqual([[run, 1]]);
  });
});

describe('a message in a room', () => {
  const inRoom = async (ai: AiMode, text: string) => {
    const one = await signedIn();
    one.rooms = openRooms({ ai });
    one.ask(text, { room: 'r', messageId: 'm' });
    await settle();
    expect(confirmed(one)).toEqual(['delivered m']);
    return {
      asked: one.stored.length,
      posted: one.appended.map(({ entry }) => 'asks' in entry && entry.asks),
    };
  };

  it.each([
    ['always', 'hello'],
    ['mention', 'what says @ai?'],
  ] as const)('where the AI answers %s is a question when it says %j', async (ai, text) => {
    expect(await inRoom(ai, text)).toEqual({ asked: 1, posted: [true] });
  });

  it.each([
    ['mention', 'write to bob@ai.example'],
    ['never', 'what says @ai?'],
  ] as const)('where the AI answers %s is for people when it says %j', async (ai, text) => {
    expect(await inRoom(ai, text)).toEqual({ asked: 0, posted: [false] });
  });

  it('is confirmed only when the broker has it', async () => {
    const one = await signedIn();
    one.rooms = openRooms({ ai: 'never' });
    const { promise, resolve } = Promise.withResolvers<{ seq: number; duplicate: boolean }>();
    one.appendResult = () => promise;
    one.ask('hi', { room: 'r', messageId: 'm' });
    await settle();
    expect(confirmed(one)).toEqual([]);
    expect(one.muted.size).toBe(1);
    resolve({ seq: 1, duplicate: false });
    await settle();
    expect(confirmed(one)).toEqual(['delivered m']);
  });

  it.each([
    ['was said before', async () => ({ seq: 1, duplicate: true })],
    ['could not be stored', () => Promise.reject(new BusError('UNAVAILABLE', 'away'))],
  ])('that %s is not waited for', async (_, appendResult) => {
    const one = await signedIn();
    one.rooms = openRooms({ ai: 'never' });
    one.appendResult = appendResult;
    one.ask('hi', { room: 'r' });
    await settle();
    expect(one.muted.size).toBe(0);
  });

  it('that was said lately is not said anew, whatever became of it', async () => {
    const one = await signedIn();
    one.rooms = openRooms({ ai: 'never' });
    one.ask('hi', { room: 'r', messageId: 'm' });
    await settle();
    const entry = one.appended[0]?.entry;
    if (entry?.type !== 'message.posted') throw new Error('nothing was posted');
    one.said = [{ ...entry, deleted: true }];
    one.ask('hi again', { room: 'r', messageId: 'm' });
    await settle();
    expect([one.appended.length, confirmed(one)]).toEqual([1, ['delivered m', 'delivered m']]);
  });

  it('they may not be in is refused, and goes nowhere', async () => {
    const one = await signedIn();
    one.rooms = async () => ({ ok: false, code: 'ROOM_DENIED' });
    one.ask('hi', { room: 'r' });
    await settle();
    expect(errors(one)).toEqual(['ROOM_DENIED']);
    expect([one.stored, one.appended, one.watched]).toEqual([[], [], []]);
  });
});

describe('a slow reader', () => {
  it('gets merged tokens that add up, once it reads again', async () => {
    const one = await signedIn();
    await asking(one, 'a');
    one.emit(0, delta(0, 'one '));
    one.buffered = 5_000;
    one.emit(0, delta(4, 'two '));
    one.emit(0, delta(8, 'three '));
    one.buffered = 0;
    one.session.drained();
    one.emit(0, delta(14, 'four'));
    expect(events(one)).toEqual([delta(0, 'one '), delta(4, 'two three '), delta(14, 'four')]);
  });

  it('gets the rest of the text before the end, even if it never caught up', async () => {
    const one = await signedIn();
    await asking(one, 'a');
    one.buffered = 5_000;
    one.emit(0, delta(0, 'all of '));
    one.emit(0, delta(7, 'it'));
    one.emit(0, completed('all of it'));
    expect(events(one)).toEqual([delta(0, 'all of it'), completed('all of it')]);
  });

  it('is closed above the hard limit so that it can come back', async () => {
    const one = await signedIn();
    await asking(one, 'a');
    one.buffered = 10_001;
    one.emit(0, completed('x'));
    expect(one.closed).toEqual({ code: 1013, reason: 'Reading too slowly' });
    expect(one.followed[0]?.stopped).toBe(true);
  });

  it('of a watched conversation is looked after when it reads again', async () => {
    const one = await signedIn({ manner: { watches: true } });
    await asking(one, 'a');
    one.session.drained();
    expect(one.watched[0]?.drained).toBe(1);
  });
});
