import { BUCKETS, conversationKey, encodeToken, kindOut, roomKey, STREAMS, SUBJECTS } from '@natter/proto';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Bus, BusMessage } from '../../src/bus/bus.ts';
import { ensureTopology } from '../../src/bus/topology.ts';
import { connected, TOPOLOGY } from './connected.ts';

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

/** What arrives under `ev.out` of a conversation; the broker has the subscription when it resolves. */
async function listen(bus: Bus, conversation: string): Promise<BusMessage[]> {
  const heard: BusMessage[] = [];
  bus.subscribe(SUBJECTS.conversationOut(conversation), (message) => heard.push(message));
  await bus.streamCreated(STREAMS.messages);
  return heard;
}

const text = (message: BusMessage | undefined) => Buffer.from(message?.data ?? []).toString();

describe('the log of a conversation', () => {
  it('arrives under ev.out with its sequence and that of the entry before it', async () => {
    const bus = await connected(server);
    const conversation = conversationKey('alice', 'log');
    const heard = await listen(bus, conversation);
    const subject = SUBJECTS.conversationLog(conversation);
    const first = await bus.append(subject, 'one', { id: 'log-1' });
    // Not the conversation's log: it breaks no chain.
    await bus.append(SUBJECTS.runEnd(conversation, 'r'), 'end', { expectLast: 0 });
    const second = await bus.append(subject, 'two', { id: 'log-2' });
    await vi.waitFor(() => expect(heard).toHaveLength(2));
    expect(heard.map(text)).toEqual(['one', 'two']);
    expect(heard.map(({ subject }) => kindOut(subject))).toEqual([{ kind: 'log' }, { kind: 'log' }]);
    expect(heard.map((message) => message.header('Nats-Sequence'))).toEqual([
      String(first.seq),
      String(second.seq),
    ]);
    expect(heard.map((message) => message.header('Nats-Last-Sequence'))).toEqual(['0', String(first.seq)]);
  });

  it('keeps one entry of an id, and names the sequence of that one', async () => {
    const bus = await connected(server);
    const conversation = conversationKey('alice', 'twice');
    const heard = await listen(bus, conversation);
    const subject = SUBJECTS.conversationLog(conversation);
    const first = await bus.append(subject, 'one', { id: 'twice-1' });
    expect(await bus.append(subject, 'one', { id: 'twice-1' })).toEqual({ seq: first.seq, duplicate: true });
    await bus.append(subject, 'two', { id: 'twice-2' });
    await vi.waitFor(() => expect(heard.map(text)).toEqual(['one', 'two']));
  });

  it('does not carry a write that was refused', async () => {
    const bus = await connected(server);
    const conversation = conversationKey('alice', 'refused');
    const heard = await listen(bus, conversation);
    const subject = SUBJECTS.conversationLog(conversation);
    await bus.append(subject, 'one', { expectLast: 0 });
    await expect(bus.append(subject, 'stale', { expectLast: 0 })).rejects.toMatchObject({ code: 'CONFLICT' });
    await bus.append(subject, 'two', { id: 'refused-2' });
    await vi.waitFor(() => expect(heard.map(text)).toEqual(['one', 'two']));
  });
});

describe('what a run emits', () => {
  it('arrives under ev.out, and a write that was refused does not', async () => {
    const bus = await connected(server);
    const conversation = conversationKey('alice', 'run');
    const heard = await listen(bus, conversation);
    const subject = SUBJECTS.runEvents(conversation, 'r');
    const first = await bus.append(subject, 'one', { expectLast: 0 });
    await expect(bus.append(subject, 'stale', { expectLast: 0 })).rejects.toMatchObject({ code: 'CONFLICT' });
    await bus.append(subject, 'two', { expectLast: first.seq });
    await vi.waitFor(() => expect(heard.map(text)).toEqual(['one', 'two']));
    expect(kindOut(heard[0]?.subject ?? '')).toEqual({ kind: 'run', run: 'r' });
  });
});

describe('a room', () => {
  it('is told under ev.out when it changes, and without a body when it is deleted', async () => {
    const bus = await connected(server);
    const key = roomKey('>', 'l1');
    const heard = await listen(bus, key);
    const rooms = await bus.bucket(BUCKETS.rooms);
    const revision = await rooms.create(`room.${key}`, 'made');
    await rooms.update(`room.${key}`, 'changed', revision);
    await expect(rooms.update(`room.${key}`, 'stale', revision)).rejects.toMatchObject({ code: 'CONFLICT' });
    // Which room an id means is nobody's business.
    await rooms.create(`id.${encodeToken('>')}`, 'l1');
    await rooms.delete(`room.${key}`);
    await vi.waitFor(() => expect(heard).toHaveLength(3));
    expect(heard.map(text)).toEqual(['made', 'changed', '']);
    expect(heard.map(({ subject }) => kindOut(subject))).toEqual(Array(3).fill({ kind: 'room' }));
    expect(heard[1]?.header('Nats-Last-Sequence')).toBe(heard[0]?.header('Nats-Sequence'));
  });

  it('tells under ev.out who becomes what in it', async () => {
    const bus = await connected(server);
    const key = roomKey('general', 'l1');
    const heard = await listen(bus, key);
    const members = await bus.bucket(BUCKETS.members);
    const bob = `${key}.${encodeToken('bob@example.com')}`;
    const revision = await members.create(bob, 'member');
    await members.update(bob, 'banned', revision);
    await expect(members.create(bob, 'member')).rejects.toMatchObject({ code: 'CONFLICT' });
    await members.delete(bob);
    await vi.waitFor(() => expect(heard).toHaveLength(3));
    expect(heard.map(text)).toEqual(['member', 'banned', '']);
    const kind = { kind: 'member', sub: 'bob@example.com' };
    expect(heard.map(({ subject }) => kindOut(subject))).toEqual([kind, kind, kind]);
    expect(Number(heard[1]?.header('Nats-Sequence'))).toBeGreaterThan(revision);
  });
});

describe('the streams of the rate limits', () => {
  it('refuse what is above the limit of a user within the window, and others are not touched', async () => {
    const bus = await connected(server);
    await ensureTopology(bus, { ...TOPOLOGY, rateLimitRequests: 3, sessionRateLimit: 2 });
    for (let n = 0; n < 3; n += 1) await bus.append(SUBJECTS.userRate('a.>'), '');
    await expect(bus.append(SUBJECTS.userRate('a.>'), '')).rejects.toMatchObject({ code: 'SUBJECT_FULL' });
    await bus.append(SUBJECTS.userRate('b'), '');
    for (let n = 0; n < 2; n += 1) await bus.append(SUBJECTS.sessionRate('alice=s'), '');
    await expect(bus.append(SUBJECTS.sessionRate('alice=s'), '')).rejects.toMatchObject({
      code: 'SUBJECT_FULL',
    });
  });

  it('let the user go on when the window has passed', async () => {
    const bus = await connected(server);
    await ensureTopology(bus, { ...TOPOLOGY, rateLimitRequests: 1, rateLimitWindowSeconds: 1 });
    const ask = () => bus.append(SUBJECTS.userRate('patient'), '');
    await ask();
    await expect(ask()).rejects.toMatchObject({ code: 'SUBJECT_FULL' });
    await vi.waitFor(ask, { timeout: 10_000 });
  });
});

describe('an existing topology', () => {
  it('is brought up to date, buckets too', async () => {
    const bus = await connected(server);
    const { jsm } = bus.internals;
    await jsm.streams.update(`KV_${BUCKETS.rooms}`, {
      republish: { src: '$KV.rooms.>', dest: 'old.rooms.>' },
    });
    await jsm.streams.update(STREAMS.logs, { duplicate_window: 120 * 1_000_000_000 });
    await jsm.streams.update(STREAMS.messages, { republish: { src: 'msg.>', dest: 'ev.out.>' } });
    await ensureTopology(bus, { ...TOPOLOGY, transcriptDays: 7, rateLimitWindowSeconds: 30 });
    const configOf = async (stream: string) => (await jsm.streams.info(stream)).config;
    expect((await configOf(`KV_${BUCKETS.rooms}`)).republish?.dest).toBe('ev.out.conv.{{wildcard(1)}}.room');
    expect((await configOf(STREAMS.messages)).republish?.src).toBe(SUBJECTS.allLogs);
    expect((await configOf(`KV_${BUCKETS.runs}`)).max_age).toBe(7 * 86_400_000 * 1_000_000);
    expect((await configOf(STREAMS.logs)).duplicate_window).toBe(600 * 1_000_000_000);
    expect((await configOf(STREAMS.userRates)).max_age).toBe(30 * 1_000_000_000);
  });
});
