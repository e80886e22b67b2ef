import { LOG_LEVELS, type LogFilter, type LogLevel } from '@natter/proto';
import { createLogger, type Stored } from '@natter/runtime';
import { frozenClock } from '@natter/testkit';
import { describe, expect, it, vi } from 'vitest';
import { LogHub } from '../../../src/bus/logs/log-hub.ts';
import type { LogReader } from '../../../src/bus/logs/log-reader.ts';
import { logsV1 } from '../../../src/dialects/logs-v1/codec.ts';
import type { LogFormat, LogKind } from '../../../src/session/logs/log-wire.ts';
import { FakeLogs, seeded } from './fake-logs.ts';
import { FakeOutlet, FakeTopics } from './fake-outlets.ts';

const ALL: LogFilter = { service: null, level: null, category: null };
const SOFT = 1_000;
const WAIT = { timeout: 20_000, interval: 1 };

function rig(logs = new FakeLogs()) {
  const topics = new FakeTopics();
  const clock = frozenClock();
  const recovered = vi.fn();
  const wire = { ...logsV1, encodeLine: vi.fn(logsV1.encodeLine) };
  const hub = new LogHub({
    bus: logs.bus,
    topics,
    wire,
    log: createLogger('gateway', 'silent'),
    now: clock.now,
    softBufferBytes: SOFT,
    hardBufferBytes: 10 * SOFT,
    maxLogReaders: 1_000,
    count: { sent: () => {}, recovered },
  });
  const read = async (
    filter: LogFilter,
    { after = null as number | null, tail = 0, kind = 'frames' as LogKind, format = 'seq' as LogFormat } = {},
  ) => {
    const outlet = new FakeOutlet(topics, kind, format);
    const reader = hub.open(filter, outlet) as LogReader;
    outlet.onEnd = () => reader.stop();
    const here = await hub.here();
    const caughtUp = reader.start({ ...here, after, tail });
    return { filter, after: after ?? here.state.lastSeq, outlet, reader, caughtUp };
  };
  /** Reads, and waits until it is live. */
  const live = async (...given: Parameters<typeof read>) => {
    const one = await read(...given);
    await one.caughtUp;
    return one;
  };
  return { logs, topics, clock, hub, read, live, wire, recovered };
}

function matches({ service, level }: LogFilter, { subject }: Stored): boolean {
  const [, of, at] = subject.split('.');
  const isSevere = LOG_LEVELS.indexOf(at as LogLevel) >= LOG_LEVELS.indexOf(level ?? 'trace');
  return isSevere && (service === null || service === of);
}

const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('LogHub, against a model', () => {
  const FILTERS: LogFilter[] = [
    ALL,
    { ...ALL, service: 'a' },
    { ...ALL, level: 'warn' },
    { ...ALL, service: 'b', level: 'error' },
  ];

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'sends what was stored once and in order to whoever comes whenever, also over reconnects (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const { logs, read } = rig(new FakeLogs(random));
      const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
      const write = () => logs.write(pick(['a', 'b', 'c']), pick(LOG_LEVELS));
      for (let left = Math.floor(random() * 700); left > 0; left -= 1) write();
      const coming: ReturnType<typeof read>[] = [];
      for (let step = 0; step < 150; step += 1) {
        if (random() < 0.7) for (let left = Math.floor(random() * 6); left >= 0; left -= 1) write();
        if (random() < 0.08) {
          const after = random() < 0.5 ? null : Math.floor(random() * (logs.state.lastSeq + 1));
          const kind = pick(['frames', 'events'] as const);
          coming.push(read(pick(FILTERS), { after, kind }));
        }
        if (random() < 0.03 && logs.connected) logs.disconnect();
        else if (random() < 0.3 && !logs.connected) logs.reconnect();
        await logs.turns();
      }
      if (!logs.connected) logs.reconnect();
      const readers = await Promise.all(coming);
      await Promise.all(readers.map(({ caughtUp }) => caughtUp));
      for (const { filter, after, outlet } of readers) {
        const wanted = logs.lines.filter((line) => line.seq > after && matches(filter, line));
        const seqs = wanted.map(({ seq }) => seq);
        await vi.waitUntil(() => outlet.seqs.length >= seqs.length, WAIT);
        await settled();
        expect(outlet.seqs).toEqual(seqs);
        expect([outlet.gaps, outlet.ended]).toEqual([[], null]);
      }
    },
  );

  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'sends every line once where brokers lose some between them (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const { logs, read, recovered } = rig(new FakeLogs(random));
      const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
      logs.loss = 0.1;
      const coming: ReturnType<typeof read>[] = [];
      for (let step = 0; step < 150; step += 1) {
        logs.write(pick(['a', 'b']), pick(['info', 'warn', 'error']));
        if (random() < 0.08) coming.push(read(pick(FILTERS)));
        await logs.turns();
      }
      const readers = await Promise.all(coming);
      await Promise.all(readers.map(({ caughtUp }) => caughtUp));
      await settled();
      // A loss shows with the next line of the same subject.
      logs.loss = 0;
      for (const service of ['a', 'b'])
        for (const level of ['info', 'warn', 'error'] as const) logs.write(service, level);
      for (const { filter, after, outlet } of readers) {
        const wanted = logs.lines.filter((line) => line.seq > after && matches(filter, line));
        const seqs = wanted.map(({ seq }) => seq);
        await vi.waitUntil(() => outlet.seqs.length >= seqs.length, WAIT);
        await settled();
        expect(outlet.seqs.toSorted((one, other) => one - other)).toEqual(seqs);
      }
      expect(logs.lost).toBeGreaterThan(0);
      expect(recovered).toHaveBeenCalled();
    },
  );
});

describe('LogHub', () => {
  it('has one feed for all readers of a filter, and none when the last has gone', async () => {
    const { logs, hub, live } = rig();
    const filter: LogFilter = { ...ALL, level: 'error' };
    const readers = [await live(filter), await live(filter, { kind: 'events' }), await live({ ...filter })];
    // Errors and fatal ones.
    expect([hub.feeds, hub.readers, logs.subscriptions]).toEqual([1, 3, 2]);
    for (const { reader } of readers) reader.stop();
    for (const { reader } of readers) reader.stop();
    expect([hub.feeds, hub.readers, logs.subscriptions]).toEqual([0, 0, 0]);
  });

  it('encodes a line once for a format, and all of a turn once for the event streams', async () => {
    const { logs, live, wire, topics } = rig();
    const sockets = [await live(ALL), await live(ALL), await live(ALL)];
    const streams = [await live(ALL, { kind: 'events' }), await live(ALL, { kind: 'events' })];
    for (let line = 0; line < 5; line += 1) logs.write('a', 'info');
    await settled();
    expect(wire.encodeLine).toHaveBeenCalledTimes(5);
    expect(topics.published).toBe(5);
    for (const { outlet } of sockets) expect(outlet.pieces).toHaveLength(5);
    for (const { outlet } of streams) expect([outlet.pieces.length, outlet.seqs.length]).toEqual([1, 5]);
    const [bytes, others] = streams.map(({ outlet }) => outlet.bytes[0]);
    expect(bytes).toBeInstanceOf(Uint8Array);
    expect(others).toBe(bytes);
  });

  it('sets a slow reader aside with a count of what it missed, and nobody else notices', async () => {
    const { logs, hub, live } = rig();
    for (const kind of ['frames', 'events'] as const) {
      const [slow, other] = [await live(ALL, { kind }), await live(ALL, { kind })];
      logs.write('a', 'info', 'first');
      await settled();
      slow.outlet.waiting = SOFT + 1;
      hub.checkSlow();
      for (let line = 0; line < 7; line += 1) logs.write('a', 'info');
      await settled();
      hub.checkSlow();
      const sent = slow.reader.sentThrough;
      expect(slow.outlet.got).toHaveLength(1);
      slow.outlet.waiting = 0;
      hub.checkSlow();
      const last = logs.write('a', 'info', 'last');
      await settled();
      expect(slow.outlet.got.slice(1)).toEqual([{ gap: 7 }, { log: 'last', seq: last.seq }]);
      expect(other.outlet.seqs).toHaveLength(9);
      expect(other.outlet.gaps).toEqual([]);
      expect([sent, slow.reader.sentThrough]).toEqual([last.seq - 8, last.seq]);
    }
  });

  it('ends a reader above the hard limit at once, and one that stays aside after a minute', async () => {
    const { logs, hub, live, clock } = rig();
    const [stuck, flooded, other] = [await live(ALL), await live(ALL), await live(ALL)];
    stuck.outlet.waiting = SOFT + 1;
    flooded.outlet.waiting = 10 * SOFT + 1;
    hub.checkSlow();
    expect([stuck.outlet.ended, flooded.outlet.ended]).toEqual([null, 'slowReader']);
    clock.advance(60_001);
    hub.checkSlow();
    expect([stuck.outlet.ended, other.outlet.ended]).toEqual(['slowReader', null]);
    logs.write('a', 'info');
    await settled();
    expect([stuck.outlet.got.length, other.outlet.got.length, hub.readers]).toEqual([0, 1, 1]);
  });

  it('notices a slow reader in the middle of a burst, before its buffer is full', async () => {
    const { logs, live } = rig();
    const { outlet } = await live(ALL);
    outlet.waiting = SOFT + 1;
    for (let line = 0; line < 200; line += 1) logs.write('a', 'info', 'x'.repeat(100));
    await settled();
    expect(outlet.got.length).toBeLessThan(20);
  });

  it('sends a reader who comes back no faster than it reads, and ends one that never does', async () => {
    const { logs, read, clock } = rig();
    for (let line = 0; line < 600; line += 1) logs.write('a', 'info', 'x'.repeat(1_000));
    const slow = await read(ALL, { after: 0 });
    slow.outlet.waiting = SOFT + 1;
    await settled();
    expect(slow.outlet.got.length).toBeLessThan(64);
    slow.reader.drained();
    slow.outlet.waiting = 0;
    slow.reader.drained();
    await slow.caughtUp;
    expect(slow.outlet.seqs).toHaveLength(600);
    const stuck = await read(ALL, { after: 0 });
    stuck.outlet.waiting = SOFT + 1;
    await settled();
    clock.advance(60_001);
    stuck.reader.tick(clock.now());
    await stuck.caughtUp;
    expect(stuck.outlet.ended).toBe('slowReader');
  });

  it('says how many lines have left LOGS since a cursor, and goes on from the oldest', async () => {
    const { logs, live } = rig();
    for (let line = 0; line < 10; line += 1) logs.write('a', 'info');
    logs.drop(6);
    const { outlet } = await live(ALL, { after: 2 });
    expect(outlet.got[0]).toEqual({ gap: 4 });
    expect(outlet.seqs).toEqual([7, 8, 9, 10]);
  });

  it('takes a cursor above the last sequence for one of an earlier LOGS, all of this one being unseen', async () => {
    const { logs, live } = rig();
    logs.write('a', 'info');
    const { outlet } = await live(ALL, { after: 500 });
    expect(outlet.got).toEqual([{ gap: null }, { log: 'line 1', seq: 1 }]);
  });

  it('sends all of a LOGS that was made anew while the broker was away', async () => {
    const { logs, live } = rig();
    const { outlet } = await live(ALL);
    for (let line = 0; line < 5; line += 1) logs.write('a', 'info');
    await settled();
    logs.disconnect();
    logs.makeAnew();
    for (let line = 0; line < 9; line += 1) logs.write('a', 'info', 'anew');
    logs.reconnect();
    await settled();
    expect(outlet.gaps).toEqual([null]);
    expect(outlet.seqs).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    logs.write('a', 'info');
    await settled();
    expect(outlet.seqs.at(-1)).toBe(10);
  });

  it('tells who was away for longer than LOGS reaches how many lines are gone', async () => {
    const { logs, live } = rig();
    const { outlet } = await live(ALL);
    logs.write('a', 'info');
    await settled();
    logs.disconnect();
    for (let line = 0; line < 9; line += 1) logs.write('a', 'info');
    logs.drop(6);
    logs.reconnect();
    await settled();
    expect(outlet.got.slice(1)).toEqual([
      { gap: 5 },
      ...[7, 8, 9, 10].map((seq) => ({ log: `line ${seq}`, seq })),
    ]);
  });

  it('refuses readers above the limit', async () => {
    const { hub, topics } = rig();
    const open = () => hub.open(ALL, new FakeOutlet(topics, 'frames'));
    for (let reader = 0; reader < 1_000; reader += 1) expect(open()).not.toBeNull();
    expect([open(), hub.isFull]).toEqual([null, true]);
  });

  it('refuses a filter more than there may be, and takes it when another one has gone', async () => {
    const { hub, topics } = rig();
    const open = (service: string) => hub.open({ ...ALL, service }, new FakeOutlet(topics, 'frames'));
    const first = open('s0');
    for (let feed = 1; feed < 256; feed += 1) open(`s${feed}`);
    expect(open('one-more')).toBeNull();
    first?.stop();
    expect(open('one-more')).not.toBeNull();
  });
});
