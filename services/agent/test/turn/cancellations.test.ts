import { conversationKey, type LogEntry, SUBJECTS } from '@natter/proto';
import { type Bus, type BusMessage, createLogger, type Stored } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { Cancellations, RunCancelled } from '../../src/turn/cancellations.ts';

const RUN = 'a'.repeat(26);
const turn = {
  run: RUN,
  conversation: conversationKey('alice', 'main'),
  sub: 'alice',
  messageId: 'm',
  text: 'x',
  customerId: null,
  askedAt: 1,
};
const request = (run = RUN): LogEntry => ({ type: 'run.cancel_requested', run, by: 'bob', at: 2 });
const encoded = (entry: LogEntry) => new TextEncoder().encode(JSON.stringify(entry));

/** A bus with a log that the test fills, and a connection that it breaks. */
function fakeBus() {
  const log: Stored[] = [];
  const calls: string[] = [];
  const handlers = new Set<(message: BusMessage) => void>();
  let reconnect = async () => {};
  const bus = {
    onReconnect: (callback: () => Promise<void>) => {
      reconnect = callback;
    },
    subscribe(subject: string, handler: (message: BusMessage) => void) {
      calls.push(`subscribe ${subject}`);
      handlers.add(handler);
      return { close: () => handlers.delete(handler) };
    },
    stored: {
      async since(_stream: string, subject: string) {
        calls.push(`read ${subject}`);
        return [...log];
      },
      from: async () => [],
    },
  };
  const add = (entry: LogEntry) => {
    const header = () => undefined;
    log.push({ seq: log.length + 1, subject: '', timeMs: 1, data: encoded(entry), header });
  };
  const tell = (entry: LogEntry) => {
    for (const handler of handlers)
      handler({ subject: '', data: encoded(entry), header: () => undefined, respond() {} });
  };
  return {
    bus: bus as unknown as Bus,
    calls,
    handlers,
    add,
    tell,
    reconnect: () => reconnect(),
  };
}

const cancellationsOf = (bus: Bus) => new Cancellations(bus, createLogger('test', 'silent'));

describe('a watched run', () => {
  it('is heard of before the log is read, so that no request falls between', async () => {
    const { bus, calls } = fakeBus();
    await cancellationsOf(bus).watch(turn, 1);
    expect(calls).toEqual([
      `subscribe ${SUBJECTS.logOut(turn.conversation)}`,
      `read ${SUBJECTS.conversationLog(turn.conversation)}`,
    ]);
  });

  it('is cancelled by a request that is in the log already', async () => {
    const { bus, add } = fakeBus();
    add(request());
    const { signal } = await cancellationsOf(bus).watch(turn, 1);
    expect(signal.reason).toBeInstanceOf(RunCancelled);
    expect(signal.reason).toMatchObject({ code: 'RUN_CANCELLED', by: 'bob' });
  });

  it('is not touched by what concerns another run, or by entries that nobody can read', async () => {
    const { bus, add, tell } = fakeBus();
    add(request('b'.repeat(26)));
    add({ of: 'another version' } as never);
    const { signal } = await cancellationsOf(bus).watch(turn, 1);
    tell(request('c'.repeat(26)));
    tell({ type: 'message.deleted', run: RUN, by: 'bob', at: 3 });
    expect(signal.aborted).toBe(false);
    tell(request());
    expect(signal.aborted).toBe(true);
  });

  it('is cancelled by a request that came while the connection was lost', async () => {
    const { bus, add, reconnect } = fakeBus();
    const { signal } = await cancellationsOf(bus).watch(turn, 1);
    add(request());
    expect(signal.aborted).toBe(false);
    await reconnect();
    expect(signal.aborted).toBe(true);
  });

  it('is forgotten when it is over', async () => {
    const { bus, add, calls, handlers, reconnect } = fakeBus();
    const watch = await cancellationsOf(bus).watch(turn, 1);
    watch.close();
    add(request());
    const before = calls.length;
    await reconnect();
    expect(handlers.size).toBe(0);
    expect(calls).toHaveLength(before);
    expect(watch.signal.aborted).toBe(false);
  });
});
