/** Races between those who come, those who go and what is said, in every order. */
import { conversationKey, type MessagePosted, SUBJECTS } from '@natter/proto';
import type { Bus, BusMessage, Stored } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { plainDialect } from '../plain-dialect.ts';
import { settle } from '../session/rig.ts';
import { hubOn, isSaid, runOf, watch } from './hub-rig.ts';

const KEY = conversationKey('alice', 'raced');

/** A broker with the log of one conversation, which answers when the test says so. */
function fakeBroker() {
  const log: { seq: number; entry: MessagePosted }[] = [];
  const handlers = new Set<(message: BusMessage) => void>();
  const questions: (() => void)[] = [];
  const asked = { reads: 0, failing: false };
  const message = (subject: string, seq: number, last: number, entry: unknown): BusMessage & Stored => ({
    subject,
    seq,
    timeMs: 0,
    data: Buffer.from(JSON.stringify(entry)),
    header: (name) => ({ 'Nats-Sequence': `${seq}`, 'Nats-Last-Sequence': `${last}` })[name],
    respond: () => undefined,
  });
  const stored: Pick<Bus['stored'], 'newest' | 'lastOfEach' | 'from' | 'last'> = {
    newest: () =>
      new Promise((resolve) => {
        // As it is when it is asked, not when the answer comes.
        const newest = log.at(-1);
        questions.push(() => resolve(newest === undefined ? null : message('', newest.seq, 0, newest.entry)));
      }),
    lastOfEach: async () => [],
    from: async (_stream, _filter, seq) => {
      asked.reads += 1;
      if (asked.failing) throw new Error('refused');
      return log.filter((one) => one.seq >= seq).map((one) => message('', one.seq, 0, one.entry));
    },
    last: async () => null,
  };
  const part = {
    stored,
    streamState: async () => ({ firstSeq: 1, lastSeq: log.at(-1)?.seq ?? 0 }),
    onDisconnect: () => undefined,
    onReconnect: () => undefined,
    subscribe: (_subject: string, handler: (message: BusMessage) => void) => {
      handlers.add(handler);
      return { close: () => void handlers.delete(handler) };
    },
  };
  return {
    bus: part as unknown as Bus,
    asked,
    handlers,
    /** Lets the broker answer the question asked first. */
    answer: async () => {
      questions.shift()?.();
      await settle();
    },
    say: (run: string, isLost = false) => {
      const last = log.at(-1)?.seq ?? 0;
      const entry = {
        type: 'message.posted' as const,
        run,
        id: run,
        sub: 'bob',
        name: null,
        text: 'x',
        asks: false,
        at: 1,
      };
      log.push({ seq: last + 1, entry });
      if (isLost) return;
      for (const handler of handlers) handler(message(SUBJECTS.logOut(KEY), last + 1, last, entry));
    },
  };
}

const SINCE = { log: 1, end: 1, run: '', at: 0, marks: 0 };
const [FIRST, SECOND, THIRD, FOURTH] = [runOf(1), runOf(2), runOf(3), runOf(4)];

describe('ConversationFeed', () => {
  it('keeps what is said for whoever comes while another one’s beginning is still under way', async () => {
    const broker = fakeBroker();
    const rig = hubOn(broker.bus);
    broker.say(FIRST);
    // Somebody who follows a run keeps the conversation open.
    const following = rig.hub.follow(KEY, runOf(9), {
      dialect: plainDialect(),
      place: { room: null, session: 's' },
      deliver: () => undefined,
    });
    const gone = watch(rig, KEY, { since: SINCE });
    await settle();
    gone.watching.stop();
    const next = watch(rig, KEY, { since: SINCE });
    await settle();
    await broker.answer();
    broker.say(SECOND);
    await broker.answer();
    await next.watching.admitted;
    expect(
      next.sent.filter(isSaid('message.posted')).map(({ said }) => said && 'run' in said && said.run),
    ).toEqual([SECOND]);
    expect([gone.sent, gone.begun]).toEqual([[], []]);
    next.watching.stop();
    following.stop();
    expect(broker.handlers.size).toBe(0);
  });

  it('does not read the whole log when something is said before it was asked where it ends', async () => {
    const broker = fakeBroker();
    const rig = hubOn(broker.bus);
    for (const run of [FIRST, SECOND]) broker.say(run);
    const { promise, resolve } = Promise.withResolvers<void>();
    const watcher = watch(rig, KEY, { ready: () => promise });
    broker.say(THIRD);
    await settle();
    expect(broker.asked.reads).toBe(0);
    resolve();
    await settle();
    await broker.answer();
    await watcher.watching.admitted;
    broker.say(FOURTH);
    expect(watcher.sent.map(({ said }) => said && 'run' in said && said.run)).toEqual([FOURTH]);
    watcher.watching.stop();
  });

  it('asks a broker that refuses once for what is missing, and again at the next look', async () => {
    const broker = fakeBroker();
    const rig = hubOn(broker.bus);
    broker.say(FIRST);
    const watcher = watch(rig, KEY);
    await settle();
    await broker.answer();
    await watcher.watching.admitted;
    broker.asked.failing = true;
    broker.say(SECOND, true);
    broker.say(THIRD);
    await settle();
    expect(broker.asked.reads).toBe(1);
    expect(watcher.sent).toEqual([]);
    broker.asked.failing = false;
    rig.hub.checkSilent();
    await settle();
    expect(watcher.sent.map(({ said }) => said && 'run' in said && said.run)).toEqual([SECOND, THIRD]);
    watcher.watching.stop();
  });

  it('does not bring back the one who left when an answer comes late', async () => {
    const broker = fakeBroker();
    const rig = hubOn(broker.bus);
    const watcher = watch(rig, KEY);
    await settle();
    watcher.watching.stop();
    await broker.answer();
    await watcher.watching.admitted;
    expect(watcher.watching.position()).toBeNull();
    expect([watcher.sent, watcher.begun, rig.hub.find(KEY)]).toEqual([[], [], null]);
    expect([...rig.topics.members.values()].every((members) => members.size === 0)).toBe(true);
  });
});
