import { describe, expect, it } from 'vitest';
import { Counted } from '../../src/session/counted.ts';
import { confirmed, errors, notices, openRooms, principal, type Rig, rig, settle, signedIn } from './rig.ts';

const TOKEN = { credential: { token: 'alice', use: 'access' } } as const;
const soon = ({ clock }: Rig, seconds: number) => Math.floor(clock.now() / 1_000) + seconds;
const refusals = ({ sent }: Rig) => sent.flatMap((frame) => ('refused' in frame ? [frame.refused] : []));

describe('authentication', () => {
  it('says who is connected, by the token of the upgrade request', async () => {
    const one = await signedIn();
    expect(one.sent[0].notice).toMatchObject({
      type: 'connected',
      connection: one.session.id,
      principal: { sub: 'alice' },
    });
    expect(one.verified).toEqual([['alice', 'access']]);
  });

  it.each([
    { type: 'ask', text: 'hi', session: null, customerId: null, messageId: null },
    { type: 'join', room: 'r', roomType: null, name: null, ai: null },
    { type: 'leave', room: 'r' },
    { type: 'typing', room: null, conversation: 'c', isTyping: true },
    { type: 'edit', target: { room: null, conversation: 'c', messageId: 'm', user: null }, text: 'x' },
    { type: 'cancel', target: { room: null, conversation: 'c', messageId: '', user: null } },
    { type: 'resume', cursors: ['c1'] },
    { type: 'moderate', action: 'ban', room: 'r', user: 'bob' },
    { type: 'set_ai', room: 'r', ai: 'never' },
    { type: 'set_on_busy', onBusy: 'reject' },
  ])('refuses $type before a token, does nothing, and stays open', async (command) => {
    const one = rig();
    one.say(command);
    await settle();
    expect(errors(one)).toEqual(['AUTH_REQUIRED']);
    expect([one.asked, one.stored, one.appended, one.watched, one.live]).toEqual([[], [], [], [], []]);
    expect(one.closed).toBeNull();
  });

  it('answers pings of anybody', async () => {
    const one = rig();
    one.say({ type: 'ping' });
    await settle();
    expect(notices(one)).toEqual([{ type: 'pong', atMs: one.clock.now() }]);
  });

  it('keeps a question that follows the token at once until the verdict', async () => {
    const one = rig({ opening: TOKEN });
    one.session.open();
    one.ask('hi');
    expect(one.stored).toEqual([]);
    await settle();
    expect(one.stored.map(({ text, sub }) => [sub, text])).toEqual([['alice', 'hi']]);
  });

  it('refuses the question too when the token is bad', async () => {
    const one = rig({ opening: { credential: { token: 'forged', use: 'access' } } });
    one.session.open();
    one.ask('hi');
    await settle();
    expect(one.sent.map(({ refused, error }) => refused ?? error)).toEqual([
      'INVALID_TOKEN',
      'AUTH_REQUIRED',
    ]);
  });

  it('says which token has expired and which has not', async () => {
    const one = rig();
    one.verdicts.old = { ok: false, reason: 'expired' };
    one.say({ type: 'authenticate', token: 'old' });
    await settle();
    expect(refusals(one)).toEqual(['TOKEN_EXPIRED']);
  });

  it('does not call a token bad when nobody can tell, nor what follows it', async () => {
    const one = rig({ opening: TOKEN });
    one.verdicts.alice = 'down';
    one.session.open();
    one.ask('hi');
    await settle();
    expect(errors(one)).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
    expect(one.closed).toBeNull();
  });

  it('asks nobody about a token that is too long', async () => {
    const one = rig();
    one.say({ type: 'authenticate', token: 'x'.repeat(5_000) });
    await settle();
    expect(refusals(one)).toEqual(['INVALID_TOKEN']);
    expect(one.verified).toEqual([]);
  });

  it('closes at once after a bad token, or none, where the wire says so', async () => {
    const manner = { refusedToken: 'invalidToken', tokenAtOpen: true } as const;
    const bad = rig({ manner, opening: { credential: { token: 'forged', use: 'access' } } });
    const none = rig({ manner });
    for (const one of [bad, none]) one.session.open();
    await settle();
    expect([bad, none].map(refusals)).toEqual([['INVALID_TOKEN'], ['AUTH_REQUIRED']]);
    expect([bad.closed?.code, none.closed?.code]).toEqual([4001, 4001]);
  });

  it('asks in the name of the newest token, not of the one before it', async () => {
    const one = await signedIn();
    one.verdicts.bob = principal('bob', soon(one, 60));
    one.say({ type: 'authenticate', token: 'bob' });
    one.ask('mine');
    await settle();
    expect(one.stored.map(({ sub }) => sub)).toEqual(['bob']);
  });

  it('closes a live connection when its token expires, unless a new one came', async () => {
    const one = await signedIn();
    one.clock.advance(3_599_000);
    one.session.tick(one.clock.now());
    expect(one.closed).toBeNull();
    one.verdicts.fresh = principal('alice', soon(one, 60));
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
    one.session.open();
    one.clock.advance(29_999);
    one.session.tick(one.clock.now());
    expect(one.closed).toBeNull();
  });

  it('closes it one millisecond later', async () => {
    const one = rig();
    one.session.open();
    await settle();
    one.clock.advance(30_000);
    one.session.tick(one.clock.now());
    expect(one.closed?.code).toBe(4001);
  });

  it('counts a user once per connection and gives the place back', async () => {
    const users = new Counted(1);
    const first = await signedIn({ users });
    first.say({ type: 'authenticate', token: 'alice' });
    await settle();
    expect(first.closed).toBeNull();
    const second = await signedIn({ users });
    expect(errors(second)).toEqual(['TOO_MANY_CONNECTIONS']);
    expect(second.closed?.code).toBe(1013);
    first.session.ended();
    expect((await signedIn({ users })).closed).toBeNull();
  });

  it('of another user drops the rooms and the conversation of the one before', async () => {
    const one = await signedIn({ manner: { watches: true, offlineQueue: true } });
    one.verdicts.bob = principal('bob', soon(one, 60));
    one.say({ type: 'join', room: 'r', roomType: null, name: null, ai: null });
    one.ask('first');
    await settle();
    expect(one.watching()).toHaveLength(2);
    one.say({ type: 'authenticate', token: 'bob' });
    await settle();
    expect(one.watching()).toEqual([]);
    expect(one.present).toEqual([]);
    expect([...one.listeners.keys()]).toEqual(['bob']);
    one.ask('second');
    await settle();
    const [mine, theirs] = one.stored.map(({ conversation }) => conversation.split('='));
    expect([mine?.[0], theirs?.[0]]).toEqual(['alice', 'bob']);
    expect(theirs?.[1]).not.toBe(mine?.[1]);
  });

  it('of the same user keeps both', async () => {
    const one = await signedIn({ manner: { watches: true } });
    one.ask('first');
    one.say({ type: 'authenticate', token: 'alice' });
    one.ask('second');
    await settle();
    expect(one.stored[0]?.conversation).toBe(one.stored[1]?.conversation);
    expect(one.watched).toHaveLength(1);
  });
});

describe('a session without a token', () => {
  const manner = { anonymous: true, watches: true };
  const limits = { anonymousSessions: true };

  it('belongs to whoever knows its name, and to nobody else', async () => {
    const subs = [];
    for (const session of ['s1', 's1', 's2']) {
      const one = rig({ manner, limits, opening: { session } });
      one.session.open();
      one.ask('hi');
      await settle();
      subs.push(one.stored[0]?.sub);
    }
    expect(subs[0]).toMatch(/^natter:session:[0-9a-f]{32}$/);
    expect(subs[1]).toBe(subs[0]);
    expect(subs[2]).not.toBe(subs[0]);
  });

  it('needs a token where the configuration wants one', async () => {
    const one = rig({ manner, opening: { session: 's1' } });
    one.session.open();
    one.ask('hi');
    await settle();
    expect(errors(one)).toEqual(['AUTH_REQUIRED']);
  });

  it('is closed when its name can not be used', () => {
    const one = rig({ manner, limits, opening: { problem: 'INVALID_FIELD' } });
    one.session.open();
    expect(errors(one)).toEqual(['INVALID_FIELD']);
    expect(one.closed?.code).toBe(4001);
  });
});

describe('commands', () => {
  it('are done in their order, each after the one before it', async () => {
    const one = await signedIn();
    const { promise: joined, resolve } = Promise.withResolvers<void>();
    one.rooms = async (request) => {
      if (request.op === 'join') await joined;
      return openRooms()(request);
    };
    one.say({ type: 'join', room: 'r', roomType: null, name: null, ai: null });
    one.say({ type: 'ping' });
    one.ask('in the room', { room: 'r', messageId: 'm' });
    await settle();
    expect(notices(one)).toEqual([]);
    resolve();
    await settle();
    expect(notices(one).map(({ type }) => type)).toEqual(['joined', 'pong', 'confirmed']);
    expect(one.asked.filter(({ op }) => op === 'join')).toHaveLength(1);
  });

  it('that wait are limited', async () => {
    const one = await signedIn();
    one.rooms = () => new Promise(() => undefined);
    one.say({ type: 'join', room: 'r', roomType: null, name: null, ai: null });
    for (let ping = 0; ping < 66; ping += 1) one.say({ type: 'ping' });
    expect(errors(one)).toEqual(['TOO_MANY_TURNS', 'TOO_MANY_TURNS']);
  });

  it('that fail are an error with an id, and those behind them go on', async () => {
    const one = await signedIn();
    one.rooms = async () => {
      throw new Error('secret of the inside');
    };
    one.say({ type: 'join', room: 'r', roomType: null, name: null, ai: null });
    one.say({ type: 'ping' });
    await settle();
    expect(errors(one)).toEqual(['INTERNAL']);
    expect(JSON.stringify(one.sent)).not.toContain('secret');
    expect(notices(one).map(({ type }) => type)).toEqual(['pong']);
  });

  it('that wait are forgotten when the connection ends', async () => {
    const one = await signedIn();
    const { promise, resolve } = Promise.withResolvers<void>();
    one.rooms = async (request) => {
      await promise;
      return openRooms()(request);
    };
    one.say({ type: 'join', room: 'r', roomType: null, name: null, ai: null });
    one.ask('hi');
    one.session.ended();
    resolve();
    await settle();
    expect([one.stored, one.watching(), one.present]).toEqual([[], [], []]);
  });

  it('that are malformed are refused with what the codec says', async () => {
    const one = await signedIn();
    const bytes = new TextEncoder().encode(JSON.stringify({ ok: false, code: 'UNKNOWN_TYPE' }));
    one.session.receive(bytes, false);
    expect(errors(one)).toEqual(['UNKNOWN_TYPE']);
  });
});

describe('options for all questions', () => {
  const configure = {
    type: 'configure',
    options: { model: 'big' },
    otherwise: { type: 'ask', text: 'configure!', session: null, customerId: null, messageId: null },
  };

  it('come with the first frame', async () => {
    const one = await signedIn();
    one.say(configure);
    one.ask('hi', { options: { temperature: 1 } });
    await settle();
    expect(one.stored.map(({ text, options }) => [text, options])).toEqual([
      ['hi', { model: 'big', temperature: 1 }],
    ]);
  });

  it('come in time although the verdict about the token came late', async () => {
    const one = rig({ opening: TOKEN });
    one.session.open();
    one.say(configure);
    one.clock.advance(2_500);
    await settle();
    expect(one.stored).toEqual([]);
  });

  it('come in time behind a confirmation that came late', async () => {
    const one = rig({ opening: TOKEN });
    one.session.open();
    one.clock.advance(2_500);
    await settle();
    one.clock.advance(1_900);
    one.say(configure);
    await settle();
    expect(one.stored).toEqual([]);
  });

  it('are a question as the second frame', async () => {
    const one = await signedIn();
    one.say({ type: 'nothing' });
    one.say(configure);
    await settle();
    expect(one.stored.map(({ text, options }) => [text, options])).toEqual([['configure!', {}]]);
  });

  it('are a question later than 2 s', async () => {
    const one = await signedIn();
    one.clock.advance(2_001);
    one.say(configure);
    await settle();
    expect(one.stored.map(({ text }) => text)).toEqual(['configure!']);
  });
});

describe('deadlines', () => {
  it('send a heartbeat as often as configured, where the wire has one', async () => {
    const one = await signedIn({ manner: { heartbeat: true } });
    for (let second = 1; second <= 61; second += 1) {
      one.clock.advance(1_000);
      one.session.tick(one.clock.now());
    }
    expect(notices(one).map(({ type }) => type)).toEqual(['heartbeat', 'heartbeat']);
  });

  it('send none where it has none', async () => {
    const one = await signedIn();
    one.clock.advance(60_000);
    one.session.tick(one.clock.now());
    expect(notices(one)).toEqual([]);
  });

  it('are due every second before a token, then every 15 s', async () => {
    const one = rig({ opening: { credential: null } });
    one.session.open();
    one.session.tick(one.clock.now());
    expect(one.session.dueAtMs).toBeLessThanOrEqual(one.clock.now());
    one.say({ type: 'authenticate', token: 'alice' });
    await settle();
    one.session.tick(one.clock.now());
    expect(one.session.dueAtMs).toBe(one.clock.now() + 15_000);
  });

  it('are due when a token expires, and again after the next token', async () => {
    const one = await signedIn();
    one.verdicts.short = principal('alice', soon(one, 2));
    one.session.tick(one.clock.now());
    one.say({ type: 'authenticate', token: 'short' });
    await settle();
    expect(one.session.dueAtMs).toBeLessThanOrEqual(one.clock.now());
    one.session.tick(one.clock.now());
    expect(one.session.dueAtMs).toBe(soon(one, 2) * 1_000);
  });

  it('are due for the next heartbeat', async () => {
    const one = await signedIn({ manner: { heartbeat: true } });
    one.clock.advance(28_000);
    one.session.tick(one.clock.now());
    expect(one.session.dueAtMs).toBe(one.clock.now() + 2_000);
  });

  it('are due at once after a ping: whoever reads no answers is closed', async () => {
    const one = await signedIn();
    one.session.tick(one.clock.now());
    one.session.receivePing();
    expect(one.session.dueAtMs).toBeLessThanOrEqual(one.clock.now());
    one.buffered = one.context.limits.hardBufferBytes + 1;
    one.session.tick(one.clock.now());
    expect(one.closed?.code).toBe(1013);
  });
});

describe('rate limit', () => {
  it('answers with the seconds to wait, and closes a client that never stops', async () => {
    const one = await signedIn({ limits: { rateLimitRequests: 5 } });
    for (let frame = 0; frame < 6; frame += 1) one.say({ type: 'ping' });
    expect(one.sent.at(-1)).toMatchObject({ error: 'RATE_LIMIT', retryAfter: 60 });
    for (let frame = 0; frame < 250; frame += 1) one.say({ type: 'ping' });
    expect(one.closed?.code).toBe(1008);
  });

  it.each(['receivePing', 'receivePong'] as const)(
    'counts %s like others, and a flood ends the connection',
    async (what) => {
      const one = await signedIn({ limits: { rateLimitRequests: 5 } });
      for (let frame = 0; frame < 250; frame += 1) one.session[what]();
      expect(errors(one)[0]).toBe('RATE_LIMIT');
      expect(one.closed?.code).toBe(1008);
    },
  );

  it('does not count the answers to our own pings', async () => {
    const one = await signedIn({ limits: { rateLimitRequests: 5 } });
    one.session.tick(one.clock.now());
    const { dueAtMs } = one.session;
    for (let ping = 0; ping < 50; ping += 1) {
      one.clock.advance(8_000);
      one.session.receivePong();
    }
    expect(errors(one)).toEqual([]);
    expect(one.session.dueAtMs).toBe(dueAtMs);
  });

  it('of the user holds over all gateways, for questions', async () => {
    const one = await signedIn();
    one.retryAfter.user = 12;
    one.ask('hi', { messageId: 'm' });
    await settle();
    expect(one.sent.at(-1)).toMatchObject({ error: 'RATE_LIMIT', retryAfter: 12, messageId: 'm' });
    expect(one.stored).toEqual([]);
  });

  it('of the session holds on wires that have one', async () => {
    const [limited, free] = [await signedIn({ manner: { sessionRate: true } }), await signedIn()];
    for (const one of [limited, free]) {
      one.retryAfter.session = 3;
      one.ask('hi');
      await settle();
    }
    expect([limited, free].map(errors)).toEqual([['RATE_LIMIT'], []]);
  });
});

describe('a reader who does not read', () => {
  it('is closed above the hard limit, also when nothing is sent to it by itself', async () => {
    const one = await signedIn();
    one.buffered = 10_001;
    one.session.tick(one.clock.now());
    expect(one.closed).toEqual({ code: 1013, reason: 'Reading too slowly' });
  });

  it('is closed when something published to it was dropped, and leaves everything', async () => {
    const one = await signedIn({ manner: { watches: true } });
    one.ask('hi');
    await settle();
    expect(confirmed(one)).toHaveLength(1);
    one.session.dropped();
    expect(one.closed?.code).toBe(1013);
    expect(one.watching()).toEqual([]);
  });
});
