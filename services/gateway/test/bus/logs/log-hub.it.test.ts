import { LOG_LEVELS, type LogFilter, type LogLevel, STREAMS, SUBJECTS } from '@natter/proto';
import { Bus, createLogger, ensureTopology } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LogHub } from '../../../src/bus/logs/log-hub.ts';
import type { LogReader } from '../../../src/bus/logs/log-reader.ts';
import { logsV1 } from '../../../src/dialects/logs-v1/codec.ts';
import { FakeOutlet, FakeTopics } from './fake-outlets.ts';

const log = createLogger('gateway', 'silent');
const ALL: LogFilter = { service: null, level: null, category: null };
const WAIT = { timeout: 20_000, interval: 20 };

let nats: NatsServer;
let bus: Bus;
let writer: Bus;
let hub: LogHub;
const topics = new FakeTopics();

beforeAll(async () => {
  nats = await startNatsServer({ signIn: true });
  const connect = (name: 'gateway' | 'agent') =>
    Bus.connect({ url: nats.url, name, nkeyFile: nats.keyFile(name) }, log);
  const agent = await connect('agent');
  await ensureTopology(agent, { replicas: 1, transcriptDays: 1 });
  await agent.close();
  [bus, writer] = [await connect('gateway'), await connect('gateway')];
  const limits = { softBufferBytes: 65_536, hardBufferBytes: 1_000_000, maxLogReaders: 100 };
  hub = new LogHub({ bus, topics, wire: logsV1, log, now: Date.now, ...limits });
});

afterAll(async () => {
  await bus.close();
  await writer.close();
  await nats.stop();
});

interface Written {
  seq: number;
  number: number;
  service: string;
  level: LogLevel;
}

let written = 0;

async function write(service = 'external', level: LogLevel = 'info'): Promise<Written> {
  written += 1;
  const number = written;
  const line = {
    level,
    time: new Date().toISOString(),
    service,
    category: 'general',
    msg: `line ${written}`,
  };
  const subject = SUBJECTS.log(service, level, 'general');
  const { seq } = await writer.append(subject, JSON.stringify(line), {
    id: `w${number}`,
    timeoutMs: 20_000,
  });
  return { seq, service, level, number };
}

async function read(filter: LogFilter, { after = null as number | null, tail = 0 } = {}) {
  const outlet = new FakeOutlet(topics, written % 2 === 0 ? 'frames' : 'events');
  const here = await hub.here();
  const reader = hub.open(filter, outlet) as LogReader;
  const caughtUp = reader.start({ ...here, after, tail });
  return { outlet, reader, caughtUp, filter, after: after ?? here.state.lastSeq };
}

/** Sequences that a filter lets through. */
function wanted(lines: Written[], { service, level }: LogFilter, after = 0): number[] {
  const least = LOG_LEVELS.indexOf(level ?? 'trace');
  return lines
    .filter((line) => line.seq > after && (service === null || line.service === service))
    .filter((line) => LOG_LEVELS.indexOf(line.level) >= least)
    .map(({ seq }) => seq)
    .sort((one, other) => one - other);
}

/** What LOGS holds. */
async function stored(): Promise<Written[]> {
  const all = await bus.stored.from(STREAMS.logs, SUBJECTS.allLogLines, 1, 100_000);
  return all.map(({ seq, subject, data }) => {
    const [, service = '', level] = subject.split('.');
    const number = Number(JSON.parse(Buffer.from(data).toString()).msg.replace('line ', ''));
    return { seq, number, service, level: level as LogLevel };
  });
}

/** Two readers that are there before the broker goes, and one that comes behind it with a cursor. */
async function whileDown(happens: () => Promise<void>) {
  const warnings: LogFilter = { ...ALL, level: 'warn' };
  const readers = [await read(ALL), await read(warnings)] as const;
  for (const { caughtUp } of readers) await caughtUp;
  const lines: Written[] = [];
  let done = false;
  const pour = async () => {
    while (!done) lines.push(await write('c', lines.length % 2 ? 'info' : 'error'));
  };
  const pouring = pour();
  await vi.waitUntil(() => lines.length > 20, WAIT);
  await happens();
  const before = lines.length;
  await vi.waitUntil(() => lines.length > before + 20, WAIT);
  const late = await read(ALL, { after: lines[0]?.seq ?? 0 });
  done = true;
  await pouring;
  return { lines, readers: [...readers, late] };
}

describe('LogHub', () => {
  it('sends a reader every line behind its cursor once and in order, while lines pour in', async () => {
    const lines: Written[] = [];
    const pour = async () => {
      for (let at = 0; at < 300; at += 1)
        lines.push(await write(at % 3 ? 'a' : 'b', at % 5 ? 'info' : 'error'));
    };
    await pour();
    const pouring = Promise.all([pour(), pour()]);
    const filters: LogFilter[] = [ALL, { ...ALL, service: 'a' }, { ...ALL, level: 'warn' }];
    const cursors = [0, lines[40]?.seq ?? 0, lines[299]?.seq ?? 0];
    const readers = await Promise.all(
      filters.flatMap((filter) => cursors.map((after) => read(filter, { after }))),
    );
    expect(hub.feeds).toBe(filters.length);
    await pouring;
    for (const { filter, after, outlet, reader } of readers) {
      const all = wanted(lines, filter, after);
      await vi.waitUntil(() => outlet.seqs.length >= all.length, WAIT);
      expect(outlet.seqs).toEqual(all);
      expect(outlet.gaps).toEqual([]);
      reader.stop();
    }
    expect([hub.feeds, hub.readers]).toEqual([0, 0]);
  });

  it('sends the last lines of a filter, and what comes', async () => {
    const lines: Written[] = [];
    for (let at = 0; at < 30; at += 1) lines.push(await write(`tail-${at % 2}`, at % 4 ? 'info' : 'fatal'));
    const filter: LogFilter = { ...ALL, service: 'tail-0', level: 'warn' };
    const { outlet, reader, caughtUp } = await read(filter, { tail: 3 });
    await caughtUp;
    lines.push(await write('tail-0', 'error'));
    await vi.waitUntil(() => outlet.seqs.length >= 4, WAIT);
    expect(outlet.seqs).toEqual(wanted(lines, filter).slice(-4));
    reader.stop();
  });

  it.each([
    ['restarted', () => nats.restart()],
    ['killed', () => nats.kill().then(() => nats.restart())],
  ])('misses nothing and repeats nothing when the broker is %s in between', async (_how, happens) => {
    const { lines, readers } = await whileDown(happens);
    const all = await stored();
    // Acknowledged is on the disk.
    for (const { number } of lines) expect(all.filter((line) => line.number === number)).toHaveLength(1);
    for (const { outlet, filter, after } of readers) {
      const seqs = wanted(all, filter, after);
      await vi.waitUntil(() => outlet.seqs.at(-1) === seqs.at(-1), WAIT);
      expect(outlet.seqs).toEqual(seqs);
      expect(outlet.gaps).toEqual([]);
    }
  });
});
