import { BusError } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { Counted } from '../../src/session/counted.ts';
import { METADATA, principal, type Rig, rig, settle } from './rig.ts';

const errors = ({ sent }: Rig) => sent.flatMap((frame) => ('error' in frame ? [frame.error] : []));

async function authenticated(limits = {}, users?: Counted): Promise<Rig> {
  const it = rig(limits, users);
  it.session.open('alice');
  await settle();
  expect(it.sent).toEqual([{ authenticated: 'alice' }]);
  it.sent.length = 0;
  return it;
}

const delta = (at: number, text: string) => ({ type: 'text.delta', at, text }) as const;
const completed = (text: string) => ({ type: 'run.completed', text, metadata: METADATA }) as const;

describe('authentication', () => {
  it('refuses a question before a token, and stays open', () => {
    const one = rig();
    one.ask('hi');
    expect(errors(one)).toEqual(['AUTH_REQUIRED']);
    expect(one.closed).toBeNull();
  });

  it('keeps a question that follows the token at once until the verdict', async () => {
    const one = rig();
    one.session.open('alice');
    one.ask('hi');
    expect(one.stored).toEqual([]);
    await settle();
    expect(one.stored.map(({ text, sub }) => [sub, text])).toEqual([['alice', 'hi']]);
  });

  it('refuses the question too when the token is bad', async () => {
    const one = rig();
    one.session.open('forged');
    one.ask('hi');
    await settle();
    expect(one.sent).toEqual([{ refused: 'INVALID_TOKEN' }, { error: 'AUTH_REQUIRED' }]);
  });

  it('says which token has expired and which has not', async () => {
    const one = rig();
    one.verdicts.old = { ok: false, reason: 'expired' };
    one.say({ type: 'authenticate', token: 'old' });
    await settle();
    expect(one.sent).toEqual([{ refused: 'TOKEN_EXPIRED' }]);
  });

  it('does not call a token bad when nobody can tell', async () => {
    const one = rig();
    one.verdicts.alice = 'down';
    one.session.open('alice');
    await settle();
    expect(one.sent).toEqual([{ error: 'UNAVAILABLE' }]);
    expect(one.closed).toBeNull();
  });

  it('refuses what follows such a token for the same reason, not for want of a token', async () => {
    const one = rig();
    one.verdicts.alice = 'down';
    one.session.open('alice');
    one.ask('hi');
    await settle();
    expect(errors(one)).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  });

  it('asks in the name of the newest token, not of the one before it', async () => {
    const one = await authenticated();
    one.verdicts.bob = principal('bob', Math.floor(one.clock.now() / 1_000) + 60);
    one.say({ type: 'authenticate', token: 'bob' });
    one.ask('mine');
    await settle();
    expect(one.stored.map(({ sub }) => sub)).toEqual(['bob']);
  });

  it('asks nobody about a token that is too long', async () => {
    const one = rig();
    one.say({ type: 'authenticate', token: 'x'.repeat(5_000) });
    await settle();
    expect(one.sent).toEqual([{ refused: 'INVALID_TOKEN' }]);
  });

  it('closes a live connection when its token expires, unless a new one came', async () => {
    const one = await authenticated();
    one.clock.advance(3_599_000);
    one.session.tick(one.clock.now());
    expect(one.closed).toBeNull();
    one.verdicts.fresh = principal('alice', Math.floor(one.clock.now() / 1_000) + 60);
    one.say({ type: 'authenticate', token: 'fresh' });
    await settle();
    one.clock.advance(59_000);
    one.session.tick(one.clock.now());
    expect(one.closed).toBeNull();
    one.clock.advance(2_000);
    one.session.tick(one.clock.now());
    expect(one.closed).toEqual({ code: 4001, reason: 'Token expired' });
  });

  it('closes a connection that shows no token in time', () => {
    const one = rig();
    one.clock.advance(29_999);
    one.session.tick(one.clock.now());
    expect(one.closed).toBeNull();
    one.clock.advance(1);
    one.session.tick(one.clock.now());
    expect(one.closed?.code).toBe(4001);
  });

  it('counts a user once per connection and gives the place back', async () => {
    const users = new Counted(1);
    const first = await authenticated({}, users);
    first.say({ type: 'authenticate', token: 'alice' });
    await settle();
    expect(first.closed).toBeNull();
    const second = rig({}, users);
    second.session.open('alice');
    await settle();
    expect(errors(second)).toEqual(['TOO_MANY_CONNECTIONS']);
    expect(second.closed?.code).toBe(1013);
    first.session.ended();
    await authenticated({}, users);
  });

  it('starts a conversation of its own for another user on the same connection', async () => {
    const one = await authenticated();
    one.verdicts.bob = principal('bob', Math.floor(one.clock.now() / 1_000) + 60);
    one.ask('first');
    one.say({ type: 'authenticate', token: 'bob' });
    await settle();
    one.ask('second');
    const [mine, theirs] = one.followed.map(({ conversation }) => conversation.split('='));
    expect(mine?.[0]).toBe('alice');
    expect(theirs?.[0]).toBe('bob');
    expect(theirs?.[1]).not.toBe(mine?.[1]);
  });
});

describe('questions', () => {
  it('keeps one conversation for questions that name none', async () => {
    const one = await authenticated();
    one.ask('first');
    one.ask('second');
    expect(one.followed[0]?.conversation).toBe(one.followed[1]?.conversation);
    expect(one.followed[0]?.run).not.toBe(one.followed[1]?.run);
  });

  it.each([
    ['', 'EMPTY_MESSAGE'],
    [' \n\t', 'EMPTY_MESSAGE'],
    ['x'.repeat(16_001), 'MESSAGE_TOO_LONG'],
  ])('refuses %j', async (text, code) => {
    const one = await authenticated();
    one.ask(text);
    expect(errors(one)).toEqual([code]);
    expect(one.stored).toEqual([]);
  });

  it('has a cap on unanswered questions, and room again after an answer', async () => {
    const one = await authenticated();
    for (const text of ['a', 'b', 'c', 'd']) one.ask(text);
    expect(errors(one)).toEqual(['TOO_MANY_TURNS']);
    one.emit(0, completed('done'));
    one.ask('e');
    expect(one.stored).toHaveLength(4);
  });

  it('is one run when the same id comes twice on one connection', async () => {
    const one = await authenticated();
    one.ask('a', { messageId: 'm1' });
    one.ask('a', { messageId: 'm1' });
    await settle();
    expect(one.stored).toHaveLength(1);
    one.emit(0, completed('done'));
    expect(one.sent.filter((frame) => JSON.stringify(frame).includes('run.completed'))).toHaveLength(1);
  });

  it('does not count a repeat against the cap', async () => {
    const one = await authenticated();
    for (const id of ['m1', 'm2', 'm3', 'm1']) one.ask('a', { messageId: id });
    expect(errors(one)).toEqual([]);
  });

  it('asks the broker for what happened before when the question was stored before', async () => {
    const one = await authenticated();
    one.storeResult = async () => ({ duplicate: true });
    one.ask('a', { messageId: 'm1' });
    await settle();
    expect(one.followed[0]?.repaired).toBe(1);
  });

  it('says so when a question could not be stored, and forgets it', async () => {
    const one = await authenticated();
    one.storeResult = async () => {
      throw new BusError('UNAVAILABLE', 'broker away: nats://10.0.0.1:4222');
    };
    one.ask('a');
    await settle();
    expect(errors(one)).toEqual(['UNAVAILABLE']);
    expect(JSON.stringify(one.sent)).not.toContain('10.0.0.1');
    expect(one.followed[0]?.stopped).toBe(true);
  });

  it('leaves its runs alone when the connection ends', async () => {
    const one = await authenticated();
    one.ask('a');
    one.session.ended();
    expect(one.followed[0]?.stopped).toBe(true);
    one.ask('b');
    expect(one.stored).toHaveLength(1);
  });
});

describe('rate limit', () => {
  it('answers with the seconds to wait, and closes a client that never stops', async () => {
    const one = await authenticated({ rateLimitRequests: 5 });
    for (let frame = 0; frame < 6; frame += 1) one.say({ type: 'authenticate', token: 'alice' });
    expect(one.sent.at(-1)).toEqual({ error: 'RATE_LIMIT', retryAfter: 60 });
    for (let frame = 0; frame < 250; frame += 1) one.say({ type: 'authenticate', token: 'alice' });
    expect(one.closed?.code).toBe(1008);
  });
});

describe('control frames', () => {
  it('count like others, and a flood of them ends the connection', async () => {
    const one = await authenticated({ rateLimitRequests: 5 });
    for (let frame = 0; frame < 250; frame += 1) one.session.receiveControl();
    expect(errors(one)[0]).toBe('RATE_LIMIT');
    expect(one.closed?.code).toBe(1008);
  });

  it('whose answers nobody reads end it too', async () => {
    const one = await authenticated();
    one.buffered = 10_001;
    one.session.tick(one.clock.now());
    expect(one.closed?.code).toBe(1013);
  });
});

describe('a slow reader', () => {
  it('gets merged tokens that add up, once it reads again', async () => {
    const one = await authenticated();
    one.ask('a');
    one.emit(0, delta(0, 'one '));
    one.buffered = 5_000;
    one.emit(0, delta(4, 'two '));
    one.emit(0, delta(8, 'three '));
    one.buffered = 0;
    one.session.drained();
    one.emit(0, delta(14, 'four'));
    const events = one.sent.map(({ event }) => event);
    expect(events).toEqual([delta(0, 'one '), delta(4, 'two three '), delta(14, 'four')]);
  });

  it('gets the rest of the text before the end, even if it never caught up', async () => {
    const one = await authenticated();
    one.ask('a');
    one.buffered = 5_000;
    one.emit(0, delta(0, 'all of '));
    one.emit(0, delta(7, 'it'));
    one.emit(0, completed('all of it'));
    const events = one.sent.map(({ event }) => event);
    expect(events).toEqual([delta(0, 'all of it'), completed('all of it')]);
  });

  it('is closed above the hard limit so that it can come back', async () => {
    const one = await authenticated();
    one.ask('a');
    one.buffered = 10_001;
    one.emit(0, completed('x'));
    expect(one.closed).toEqual({ code: 1013, reason: 'Reading too slowly' });
    expect(one.followed[0]?.stopped).toBe(true);
  });
});
