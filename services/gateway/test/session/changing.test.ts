import { conversationKey, type Turn } from '@natter/proto';
import { BusError } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { runId } from '../../src/bus/run-id.ts';
import {
  confirmed,
  errors,
  notices,
  openRooms,
  type Rig,
  type RigOptions,
  roomCalled,
  settle,
  signedIn,
} from './rig.ts';

const OWN = conversationKey('alice', 's');
const ROOM = roomCalled('r').key;
const DAY = 24 * 60 * 60 * 1_000;

const target = (messageId: string, rest = {}) => ({
  room: null,
  conversation: null,
  messageId,
  user: null,
  ...rest,
});
const edit = (messageId: string, rest = {}) => ({
  type: 'edit',
  target: target(messageId, rest),
  text: 'new',
});
const remove = (messageId: string, rest = {}) => ({ type: 'delete', target: target(messageId, rest) });
const read = (messageId: string, rest = {}) => ({ type: 'read', target: target(messageId, rest) });
const cancel = (messageId: string, rest = {}) => ({ type: 'cancel', target: target(messageId, rest) });

const message = (key: string, sub: string, id: string, rest = {}) => ({
  seq: 1,
  role: 'user',
  run: runId(sub, key, id),
  id,
  asks: false,
  sub,
  name: null,
  text: 'old',
  at: Date.UTC(2026, 0, 1),
  ...rest,
});

const inOwn = (options: RigOptions = {}) =>
  signedIn({ ...options, opening: { session: 's', ...options.opening } });

async function inRoom(role: 'owner' | 'member' = 'member'): Promise<Rig> {
  const one = await signedIn({ manner: { watches: true } });
  one.rooms = openRooms({}, role);
  one.say({ type: 'join', room: 'r', roomType: null, name: null, ai: null });
  await settle();
  return one;
}

async function say(one: Rig, command: unknown): Promise<void> {
  one.say(command);
  await settle();
}

const entries = (one: Rig) =>
  one.appended.map(({ key, entry }) => [key, entry.type, 'run' in entry && entry.run]);

describe('a message of one’s own', () => {
  it.each([
    ['edited', edit('m'), 'message.edited'],
    ['deleted', remove('m'), 'message.deleted'],
    ['read', read('m'), 'message.read'],
  ])('is %s once the broker has it', async (status, command, type) => {
    const one = await inOwn();
    one.pages.messages = [message(OWN, 'alice', 'm')];
    const { promise, resolve } = Promise.withResolvers<{ seq: number; duplicate: boolean }>();
    one.appendResult = () => promise;
    await say(one, command);
    expect(confirmed(one)).toEqual([]);
    resolve({ seq: 2, duplicate: false });
    await settle();
    expect(entries(one)).toEqual([[OWN, type, runId('alice', OWN, 'm')]]);
    expect(confirmed(one)).toEqual([`${status} m`]);
  });

  it('is found by its bus-wide id too', async () => {
    const one = await inOwn();
    one.pages.messages = [message(OWN, 'alice', 'm')];
    await say(one, edit(runId('alice', OWN, 'm')));
    expect(confirmed(one)).toEqual(['edited m']);
  });

  it.each([
    ['is not there', edit('other'), {}, 'MESSAGE_NOT_FOUND'],
    ['was deleted', edit('m'), { deletedAt: 1 }, 'MESSAGE_NOT_FOUND'],
    ['is older than a day', edit('m'), { at: Date.UTC(2026, 0, 1) - DAY - 1 }, 'MESSAGE_NOT_FOUND'],
    ['would be empty', { ...edit('m'), text: ' \n' }, {}, 'EMPTY_MESSAGE'],
  ])('can not be changed when it %s', async (_, command, rest, code) => {
    const one = await inOwn();
    one.pages.messages = [message(OWN, 'alice', 'm', rest)];
    await say(one, command);
    expect(errors(one)).toEqual([code]);
    expect(one.appended).toEqual([]);
  });

  it('can not be changed more often than the rate allows', async () => {
    const one = await inOwn();
    one.pages.messages = [message(OWN, 'alice', 'm')];
    one.retryAfter.user = 5;
    await say(one, edit('m'));
    expect(one.sent.at(-1)).toMatchObject({ error: 'RATE_LIMIT', retryAfter: 5, messageId: 'm' });
    expect(one.appended).toEqual([]);
  });

  it('may have an id that looks like a bus-wide one', async () => {
    const ulid = '01jcz'.replace(/[01]/g, 'a').padEnd(26, 'k');
    const one = await inOwn();
    one.pages.messages = [message(OWN, 'alice', ulid), message(OWN, 'alice', 'm', { run: ulid })];
    await say(one, edit(ulid));
    expect(entries(one)).toEqual([[OWN, 'message.edited', runId('alice', OWN, ulid)]]);
  });

  it('that was said lately is known without a look at the log', async () => {
    const one = await inRoom();
    one.said = [{ ...message(ROOM, 'alice', 'm'), asks: false, deleted: false }];
    await say(one, edit('m', { room: 'r' }));
    expect([confirmed(one), one.looks]).toEqual([['edited m'], 0]);
    one.said = one.said.map((said) => ({ ...said, deleted: true }));
    await say(one, edit('m', { room: 'r' }));
    expect([errors(one), one.looks]).toEqual([['MESSAGE_NOT_FOUND'], 0]);
  });

  it('is deleted with its answer, if that has not ended', async () => {
    const one = await inOwn();
    const run = runId('alice', OWN, 'm');
    one.pages.messages = [message(OWN, 'alice', 'm', { asks: true })];
    await say(one, remove('m'));
    expect(entries(one)).toEqual([
      [OWN, 'run.cancel_requested', run],
      [OWN, 'message.deleted', run],
    ]);
    one.appended.length = 0;
    one.ended.set(run, { seq: 1, message: {} });
    await say(one, remove('m'));
    expect(entries(one)).toEqual([[OWN, 'message.deleted', run]]);
  });

  it('that can not be stored is an error without the inside of it', async () => {
    const one = await inOwn();
    one.pages.messages = [message(OWN, 'alice', 'm')];
    one.appendResult = () => Promise.reject(new BusError('UNAVAILABLE', 'nats://10.0.0.1'));
    await say(one, edit('m'));
    expect(errors(one)).toEqual(['UNAVAILABLE']);
    expect(JSON.stringify(one.sent)).not.toContain('10.0.0.1');
  });
});

describe('a message of somebody else in a room', () => {
  const theirs = { room: 'r', user: 'bob' };

  it('can be read, which comes back to the reader like to all', async () => {
    const one = await inRoom();
    one.pages.messages = [message(ROOM, 'bob', 'm')];
    await say(one, read('m', theirs));
    expect(one.appended).toMatchObject([
      { key: ROOM, entry: { type: 'message.read', id: 'm', sub: 'bob', by: 'alice' } },
    ]);
    expect(confirmed(one)).toEqual([]);
  });

  it('is read without telling everybody in a large room', async () => {
    const one = await inRoom();
    one.pages.messages = [message(ROOM, 'bob', 'm')];
    for (let number = 0; number < 200; number += 1)
      await one.roomsHere.enter(roomCalled('r'), { sub: `u${number}`, removed: () => undefined });
    await say(one, read('m', theirs));
    expect(one.appended).toEqual([]);
    expect(one.sent.at(-1)).toMatchObject({ said: { type: 'message.read', id: 'm', by: 'alice' } });
    expect(errors(one)).toEqual([]);
  });

  it.each([edit, remove])('can not be changed by a member', async (command) => {
    const one = await inRoom();
    one.pages.messages = [message(ROOM, 'bob', 'm')];
    await say(one, command('m', theirs));
    expect(errors(one)).toEqual(['MESSAGE_NOT_FOUND']);
    expect(one.appended).toEqual([]);
  });

  it('can be changed by the owner of the room', async () => {
    const one = await inRoom('owner');
    one.pages.messages = [message(ROOM, 'bob', 'm')];
    await say(one, remove('m', theirs));
    expect(confirmed(one)).toEqual(['deleted m']);
  });

  it('can not be reached from outside the room', async () => {
    const one = await signedIn();
    one.pages.messages = [message(ROOM, 'bob', 'm')];
    for (const command of [edit, remove, read, cancel]) await say(one, command('m', theirs));
    expect(errors(one)).toEqual(['ROOM_DENIED', 'ROOM_DENIED', 'ROOM_DENIED', 'ROOM_DENIED']);
    expect(one.appended).toEqual([]);
  });
});

describe('an answer', () => {
  const turn = (key: string, sub: string, messageId: string): Turn => ({
    run: runId(sub, key, messageId),
    conversation: key,
    sub,
    messageId,
    text: 't',
    customerId: null,
    askedAt: 1,
  });

  it.each(['m', ''])('to one’s own question is stopped, by its id %j', async (messageId) => {
    const one = await inOwn();
    one.waiting = [turn(OWN, 'alice', 'm')];
    await say(one, cancel(messageId));
    expect(entries(one)).toEqual([[OWN, 'run.cancel_requested', runId('alice', OWN, 'm')]]);
    expect(notices(one)).toMatchObject([{ type: 'cancel', status: 'cancelling', messageId: 'm' }]);
  });

  it('that is over is said to be', async () => {
    const one = await inOwn();
    const run = runId('alice', OWN, 'm');
    one.ended.set(run, { seq: 1, message: { asked: { id: 'm', sub: 'alice' } } });
    await say(one, cancel('m'));
    expect(one.appended).toEqual([]);
    expect(notices(one)).toMatchObject([{ type: 'cancel', status: 'ended', messageId: 'm', run }]);
  });

  it('is stopped by an id that looks like a bus-wide one', async () => {
    const one = await inOwn();
    const ulid = 'a'.repeat(26);
    one.waiting = [turn(OWN, 'alice', ulid)];
    await say(one, cancel(ulid));
    expect(entries(one)).toEqual([[OWN, 'run.cancel_requested', runId('alice', OWN, ulid)]]);
  });

  it('is not stopped more often than the rate allows', async () => {
    const one = await inOwn();
    one.waiting = [turn(OWN, 'alice', 'm')];
    one.retryAfter.user = 5;
    await say(one, cancel('m'));
    expect(errors(one)).toEqual(['RATE_LIMIT']);
    expect(one.appended).toEqual([]);
  });

  it('that nobody asked for is not found', async () => {
    const one = await inOwn();
    await say(one, cancel('m'));
    await say(one, cancel(''));
    expect(errors(one)).toEqual(['MESSAGE_NOT_FOUND', 'MESSAGE_NOT_FOUND']);
  });

  it('to somebody else is stopped by the owner of the room, and by no member', async () => {
    for (const role of ['member', 'owner'] as const) {
      const one = await inRoom(role);
      one.waiting = [turn(ROOM, 'bob', 'm')];
      await say(one, cancel('m', { room: 'r', user: 'bob' }));
      expect(errors(one)).toEqual(role === 'owner' ? [] : ['MESSAGE_NOT_FOUND']);
      expect(one.appended).toHaveLength(role === 'owner' ? 1 : 0);
    }
  });
});
