/** Messages after they were said: confirmed, edited, deleted; live, in the transcript, on replay. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Frame, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { reportFailures } from '../src/report-failures.ts';
import { ask, heard, join, openRooms, POWER, post, refusal, say, settled } from '../src/rooms-chat.ts';
import { roomPath, roomsCurl } from '../src/rooms-curl.ts';

/** Longer than the look at the broker's rates (1 s), shorter than what a client is told UNAVAILABLE after. */
const PAUSE_MS = 2_500;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ gateways: 2, demo: { tokensPerSecond: 300, firstTokenMs: 0 } });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const open: Probe[] = [];
afterEach(() => Promise.all(open.splice(0).map((probe) => probe.close())));

async function enter(sub: string, gateway = 0, query: Record<string, string> = {}): Promise<Probe> {
  const token = await stack.token({ sub, roles: sub === 'boss' ? ['admin'] : [] });
  const probe = await openRooms(stack.url(gateway), token, query);
  open.push(probe);
  return probe;
}

/** The people of a shared room in which nobody is answered, each on the other gateway. */
async function people(room: string, subs: readonly string[], ai = 'never'): Promise<Probe[]> {
  const probes: Probe[] = [];
  for (const [index, sub] of subs.entries()) {
    const probe = await enter(sub, index % 2);
    await join(probe, room, { room_type: 'shared', ai });
    probes.push(probe);
  }
  return probes;
}

async function transcript(sub: string, room: string): Promise<Frame[]> {
  const curl = roomsCurl(stack.httpUrl(), await stack.token({ sub }));
  return (await curl('GET', roomPath(room, '/messages'))).body.messages;
}

const edit = (room_id: string, message_id: string, message: string, more: object = {}) => ({
  type: 'edit_message',
  data: { message_id, message, room_id, ...more },
});
const remove = (room_id: string, message_id: string, more: object = {}) => ({
  type: 'delete_message',
  data: { message_id, room_id, ...more },
});

/** Changes a message and waits until that is confirmed. */
async function change(probe: Probe, frame: object, status: 'edited' | 'deleted'): Promise<Frame> {
  probe.send(frame);
  return probe.next(({ type, data }) => type === 'error' || data.status === status, 30_000);
}

/** The newest cursor of a connection that was opened with `seq`. */
function lastCursor(probe: Probe): string {
  return probe.frames.findLast(({ cursor }) => cursor !== undefined)?.cursor;
}

/** What a connection that resumes from a cursor is sent of people's messages, in order. */
async function replay(sub: string, cursor: string): Promise<Frame[]> {
  const probe = await enter(sub, 1, { seq: '1', resume: cursor });
  await probe.nextOfType('resumed');
  await settled(probe);
  return probe.frames.filter(
    ({ type, data }) => (type === 'chat' && data.role === 'user') || type.startsWith('message_'),
  );
}

describe('a confirmation', () => {
  it('[rooms/confirmed-when-stored] comes after the broker’s acknowledgement only, with and without a question', async () => {
    const [alice, bob] = (await people('stored', ['alice', 'bob'])) as [Probe, Probe];
    const confirmed = ({ type, data }: Frame) =>
      type === 'delivery_confirmation' && data.status === 'delivered';
    stack.nats.pause();
    try {
      say(alice, 'To people', { room: 'stored', id: 'm-1' });
      say(bob, POWER.question, { id: 'q-1', data: { conversation_id: 'own' } });
      // Nothing shows that something doesn't come but time.
      await sleep(PAUSE_MS);
      expect([...alice.frames, ...bob.frames].filter(confirmed)).toEqual([]);
      expect(bob.frames.filter(({ type }) => type === 'error')).toEqual([]);
    } finally {
      stack.nats.resume();
    }
    expect(await alice.next(confirmed, 30_000)).toMatchObject({ data: { message_id: 'm-1' } });
    expect(await bob.next(confirmed, 30_000)).toMatchObject({ data: { message_id: 'q-1' } });
    expect(await transcript('alice', 'stored')).toMatchObject([{ content: 'To people', message_id: 'm-1' }]);
  });
});

describe('an edit', () => {
  it('[rooms/edit] of an own message is seen live, in the transcript, and on replay, also by who had the old text', async () => {
    const [alice, bob] = (await people('edits', ['alice', 'bob'])) as [Probe, Probe];
    const carol = await enter('carol', 1, { seq: '1', room_id: 'edits', room_type: 'shared' });
    await carol.nextOfType('join_room');
    await post(alice, 'Before', { room: 'edits', id: 'm-0' });
    await carol.next(({ data }) => data.content === 'Before');
    const before = lastCursor(carol);
    const posted = await post(alice, 'The old text', { room: 'edits', id: 'm-1' });
    await carol.next(({ data }) => data.content === 'The old text');
    const after = lastCursor(carol);
    await carol.close();
    const { id } = posted.data;
    expect(await change(alice, edit('edits', 'm-1', 'The new text'), 'edited')).toMatchObject({
      type: 'delivery_confirmation',
      data: { message_id: 'm-1', id, status: 'edited' },
    });
    expect(await bob.nextOfType('message_edited')).toEqual({
      type: 'message_edited',
      data: {
        id,
        content: 'The new text',
        user_id: 'alice',
        timestamp: expect.stringMatching(/Z$/),
        position: expect.any(Number),
        conversation_id: 'edits',
        room_id: 'edits',
      },
    });
    expect(await transcript('bob', 'edits')).toMatchObject([
      { content: 'Before' },
      { content: 'The new text', id, edited_at: expect.stringMatching(/Z$/) },
    ]);
    expect(await replay('carol', before)).toMatchObject([
      { type: 'chat', data: { id, content: 'The new text' } },
    ]);
    expect(await replay('carol', after)).toMatchObject([
      { type: 'message_edited', data: { id, content: 'The new text' } },
    ]);
  });

  it('[rooms/edit-keeps-answer] of a question leaves the answer as it was given', async () => {
    const alice = await enter('alice');
    await join(alice, 'answered');
    const { end } = await ask(alice, POWER.question, { room: 'answered', id: 'q-1' });
    await change(alice, edit('answered', 'q-1', 'How big is the boot?'), 'edited');
    expect(await transcript('alice', 'answered')).toMatchObject([
      { role: 'user', content: 'How big is the boot?' },
      { role: 'assistant', content: end.data.response, status: 'completed', reply_to: 'q-1' },
    ]);
    await settled(alice);
    expect(alice.frames.filter(({ data }) => data.done === true)).toHaveLength(1);
  });

  it('of a blank text, of nothing, or where one is not, is refused', async () => {
    const [alice] = (await people('blank', ['alice'])) as [Probe];
    await post(alice, 'Text', { room: 'blank', id: 'm-1' });
    const cases: [string, object][] = [
      ['EMPTY_MESSAGE', edit('blank', 'm-1', ' ')],
      ['MESSAGE_NOT_FOUND', edit('blank', 'm-2', 'New')],
      ['ROOM_DENIED', edit('elsewhere', 'm-1', 'New')],
    ];
    for (const [code, frame] of cases) {
      alice.send(frame);
      expect((await refusal(alice)).data.code).toBe(code);
    }
    expect(await transcript('alice', 'blank')).toMatchObject([{ content: 'Text' }]);
  });
});

describe('a deletion', () => {
  it('[rooms/delete-message] of an own message takes the text from live members, transcript and replay', async () => {
    const [alice, bob] = (await people('deletes', ['alice', 'bob'])) as [Probe, Probe];
    const carol = await enter('carol', 1, { seq: '1', room_id: 'deletes', room_type: 'shared' });
    await carol.nextOfType('join_room');
    await post(alice, 'Before', { room: 'deletes', id: 'm-0' });
    await carol.next(({ data }) => data.content === 'Before');
    const before = lastCursor(carol);
    const posted = await post(alice, 'A slip of the tongue', { room: 'deletes', id: 'm-1' });
    await bob.next(({ data }) => data.content === 'A slip of the tongue');
    await carol.close();
    const { id } = posted.data;
    await change(alice, edit('deletes', 'm-1', 'A slip, edited'), 'edited');
    expect(await change(alice, remove('deletes', 'm-1'), 'deleted')).toMatchObject({
      type: 'delivery_confirmation',
      data: { message_id: 'm-1', id, status: 'deleted' },
    });
    expect(await bob.nextOfType('message_deleted')).toMatchObject({ data: { id, user_id: 'alice' } });
    expect(await transcript('bob', 'deletes')).toMatchObject([
      { content: 'Before' },
      { content: '', id, deleted_at: expect.stringMatching(/Z$/) },
    ]);
    const replayed = await replay('carol', before);
    expect(replayed.at(-1)).toMatchObject({ type: 'message_deleted', data: { id } });
    expect(JSON.stringify(replayed)).not.toContain('slip');
    // What was deleted can't be changed any more, nor said again by its id.
    expect(await change(alice, edit('deletes', 'm-1', 'Back'), 'edited')).toMatchObject({
      data: { code: 'MESSAGE_NOT_FOUND' },
    });
    say(alice, 'Back', { room: 'deletes', id: 'm-1' });
    await settled(alice);
    expect(await transcript('bob', 'deletes')).toMatchObject([{ content: 'Before' }, { content: '' }]);
  });

  it('[rooms/moderator-deletes] of any message is for owner and admin; others change only their own', async () => {
    const [owner, bob, carol] = (await people('moderated', ['owner', 'bob', 'carol'])) as [
      Probe,
      Probe,
      Probe,
    ];
    const boss = await enter('boss', 1);
    await join(boss, 'moderated');
    const ids: string[] = [];
    for (const index of [0, 1, 2]) {
      const { data } = await post(bob, `Bob’s ${index}`, { room: 'moderated', id: `m-${index}` });
      ids.push(data.id);
    }
    const [first = '', second = '', third = ''] = ids;
    const attempts = [
      edit('moderated', third, 'Mine'),
      remove('moderated', third),
      remove('moderated', 'm-2', { user_id: 'bob' }),
      edit('moderated', 'm-2', 'Mine', { user_id: 'bob' }),
      remove('moderated', 'm-2'),
    ];
    for (const attempt of attempts) {
      carol.send(attempt);
      expect((await refusal(carol)).data.code).toBe('MESSAGE_NOT_FOUND');
    }
    expect((await change(owner, remove('moderated', first), 'deleted')).data).toMatchObject({ id: first });
    const byName = remove('moderated', 'm-1', { user_id: 'bob' });
    expect((await change(boss, byName, 'deleted')).data).toMatchObject({ id: second });
    expect(await transcript('carol', 'moderated')).toMatchObject([
      { id: first, content: '' },
      { id: second, content: '' },
      { id: third, content: 'Bob’s 2' },
    ]);
    await bob.next(({ type, data }) => type === 'message_deleted' && data.user_id === 'boss');
    expect(heard(carol)).toEqual(['Bob’s 0', 'Bob’s 1', 'Bob’s 2']);
  });
});
