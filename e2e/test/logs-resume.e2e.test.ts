/** Readers of logs who lose their connection, their gateway or the broker, or don't read at all. */
import { BUCKETS } from '@natter/proto';
import { type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { revive } from '../src/alive.ts';
import { onBus, shortenLogs } from '../src/log-broker.ts';
import { openLogDoor } from '../src/log-door.ts';
import { startEventSource } from '../src/log-event-source.ts';
import { LOGS_KEY, readersHere, sendLines, storeLines } from '../src/log-http.ts';
import { LogPour } from '../src/log-pour.ts';
import { LOG_WIRES, LogReader, type LogWireName, type ReadLine } from '../src/log-reader.ts';
import { readMetric } from '../src/metrics.ts';
import { reportFailures } from '../src/report-failures.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    env: { LOGS_API_KEY: LOGS_KEY, WS_RATE_LIMIT_REQUESTS: '100000' },
  });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const open: LogReader[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((reader) => reader.close()));
  await revive(stack.gateways);
  await readersHere(stack, 0, 0);
});

function reader(wire: LogWireName, category: string, more: Record<string, string> = {}): LogReader {
  const made = new LogReader(stack, wire, { key: LOGS_KEY, query: { category, ...more } });
  open.push(made);
  return made;
}

/** A reader of each wire, on a gateway. */
async function both(category: string, gateway = 0): Promise<LogReader[]> {
  const readers = LOG_WIRES.map((wire) => reader(wire, category));
  for (const one of readers) await one.open(gateway);
  return readers;
}

const texts = (category: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => `${category} ${from + at}`);

const store = (category: string, lines: readonly string[], gateway = 1) =>
  storeLines(
    stack,
    lines.map((msg) => ({ msg, category })),
    gateway,
  );

/** One after the other, so that their order is known. */
async function storeInOrder(category: string, lines: readonly string[], gateway = 1): Promise<void> {
  for (const line of lines) await store(category, [line], gateway);
}

const NONE = { missing: [], twice: [], outOfPlace: [], gaps: [], others: [] };

/** In what a reader differs from one that has all there is. */
function differences({ lines, gaps, others }: LogReader, whole: LogReader): typeof NONE {
  const named = ({ seq, log }: ReadLine) => `${seq} ${log}`;
  const had = new Set(lines.map(named));
  const isTwice = (name: string, at: number, all: string[]) => all.indexOf(name) !== at;
  const outOfPlace = lines.filter(({ seq }, at) => at > 0 && seq <= (lines[at - 1]?.seq ?? 0));
  return {
    missing: whole.lines.map(named).filter((name) => !had.has(name)),
    twice: lines.map(named).filter(isTwice),
    outOfPlace: outOfPlace.map(named),
    gaps,
    others,
  } as typeof NONE;
}

/** Each has what LOGS has, in its order: nothing is missing, nothing came twice. */
async function expectAll(readers: readonly LogReader[], category: string, pour: LogPour): Promise<void> {
  const last = await pour.stop();
  await Promise.all(readers.map((one) => one.untilLine(last)));
  const whole = await reader('WebSocket', category).open(1, 0);
  await whole.untilLine(last);
  expect(new Set(whole.texts).size).toBe(whole.lines.length);
  expect(whole.texts).toEqual(expect.arrayContaining(pour.accepted));
  for (const one of readers) expect(differences(one, whole)).toEqual(NONE);
}

describe('a reader that comes back', () => {
  it.each<[id: string, wire: LogWireName]>([
    ['[logs/cursor] [logs/resume-websocket]', 'WebSocket'],
    ['[logs/last-event-id] [logs/resume-sse]', 'SSE'],
  ])('%s over %s goes on behind its last line, on another gateway', async (id, wire) => {
    const category = `back-${wire}`;
    const one = await reader(wire, category).open(0);
    await readersHere(stack, 1, 0);
    await storeInOrder(category, texts(id, 0, 5));
    await one.untilLine(`${id} 4`);
    await one.cut();
    await storeInOrder(category, texts(id, 5, 10));
    await one.open(1);
    await storeInOrder(category, texts(id, 10, 12), 0);
    await one.untilLine(`${id} 11`);
    expect(one.texts).toEqual(texts(id, 0, 12));
    // An older cursor is as good.
    const older = await reader(wire, category).open(0, one.lines[2]?.seq);
    await older.untilLine(`${id} 11`);
    expect(older.lines).toEqual(one.lines.slice(3));
  });

  it('[logs/reconnect] [logs/no-gap] [logs/no-double] gets every line once, however often its connection breaks while lines pour in', async () => {
    const readers = await both('cuts');
    await readersHere(stack, 2, 0);
    const pour = new LogPour(stack, 'cuts', 1);
    for (let cut = 0; cut < 10; cut += 1) {
      for (const one of readers) {
        const before = one.lines.length;
        await one.until(() => one.lines.length > before);
        await one.cut();
        await one.open((cut + 1) % 2);
      }
    }
    await expectAll(readers, 'cuts', pour);
    expect(readers.map(({ ends }) => ends.length)).toEqual([10, 10]);
  });

  it('[logs/no-gap] [logs/no-double] [logs/resume-websocket] [logs/resume-sse] gets every line once when its gateway is killed while lines pour in', async () => {
    const readers = await both('killed');
    await readersHere(stack, 2, 0);
    for (const one of readers) one.comeBackTo(1);
    const pour = new LogPour(stack, 'killed', 1);
    await Promise.all(readers.map((one) => one.until(() => one.lines.length > 50)));
    await stack.gateways[0]?.kill();
    const had = readers.map((one) => one.lines.length);
    await Promise.all(readers.map((one, at) => one.until(() => one.lines.length > (had[at] ?? 0) + 50)));
    await expectAll(readers, 'killed', pour);
    expect(readers.map(({ ends }) => ends)).toEqual([[1006], [null]]);
  });

  it('[logs/sse-reconnect] [logs/last-event-id] is an EventSource: its gateway is killed, it reconnects to another one by itself, and goes on', async () => {
    const [first = 0, second = 0] = stack.gateways.map(({ ports }) => ports.http);
    const door = await openLogDoor(first);
    const url = `http://127.0.0.1:${door.port}/api/get-logs-stream?category=source&token=${LOGS_KEY}`;
    const source = startEventSource(url);
    const shown = () => source.events.map(({ data }) => data.log);
    try {
      await readersHere(stack, 1, 0);
      await storeInOrder('source', texts('source', 0, 5));
      await expect.poll(shown, { timeout: 20_000 }).toEqual(texts('source', 0, 5));
      door.target = second;
      await stack.gateways[0]?.kill();
      await storeInOrder('source', texts('source', 5, 10));
      await expect.poll(source.opened, { timeout: 30_000 }).toBe(2);
      await storeInOrder('source', texts('source', 10, 12));
      await expect.poll(shown, { timeout: 20_000 }).toEqual(texts('source', 0, 12));
    } finally {
      await source.close();
      door.close();
    }
  });
});

describe('the broker', () => {
  it('[logs/kept] [logs/no-gap] [logs/no-double] killed and started again while lines pour in: readers of two gateways get every line once, and LOGS has kept what it had', async () => {
    const readers = [...(await both('broker', 0)), ...(await both('broker', 1))];
    await readersHere(stack, 2, 2);
    for (const [at, one] of readers.entries()) one.comeBackTo(at < 2 ? 0 : 1);
    const pour = new LogPour(stack, 'broker', 0);
    for (let round = 0; round < 2; round += 1) {
      const before = pour.accepted.length;
      await expect.poll(() => pour.accepted.length, { timeout: 30_000 }).toBeGreaterThan(before + 200);
      await stack.nats.kill();
      await stack.nats.restart();
    }
    const before = pour.accepted.length;
    await expect.poll(() => pour.accepted.length, { timeout: 30_000 }).toBeGreaterThan(before + 50);
    await expectAll(readers, 'broker', pour);
  });
});

describe('a reader with a name', () => {
  const PATTERN = `$KV.${BUCKETS.logPositions}.>`;
  /** What is stored of all names, and how often something was. */
  const stored = () =>
    onBus(stack, 'gateway', async ({ stored }) => {
      const last = await stored.newest(`KV_${BUCKETS.logPositions}`, PATTERN);
      const value = last === null ? null : JSON.parse(Buffer.from(last.data).toString());
      return { seq: value?.seq ?? null, writes: last?.seq ?? 0 };
    });

  it('[logs/acknowledgement] [logs/ack] [logs/ack-stored] [logs/named-reader] goes on behind what it acknowledged, on another gateway, its own being dead', async () => {
    const category = 'named';
    const query = { name: 'night-shift' };
    const [, gateway] = stack.gateways;
    if (gateway === undefined) throw new Error('no second gateway');
    const first = await reader('WebSocket', category, query).open(0);
    await readersHere(stack, 1, 0);
    await storeInOrder(category, texts(category, 0, 10));
    await first.untilLine('named 9');
    const seqOf = (at: number) => first.lines[at]?.seq ?? -1;
    first.probe.send({ ack: seqOf(5) });
    await expect.poll(stored, { timeout: 20_000 }).toEqual({ seq: seqOf(5), writes: 1 });
    // Neither back, nor to a line it was not sent yet; the second is told.
    first.probe.send({ ack: seqOf(2) });
    first.probe.send({ ack: seqOf(9) + 1_000 });
    await first.until(() => first.others.length > 0);
    expect(first.others).toMatchObject([{ code: 'INVALID_FIELD' }]);
    await stack.gateways[0]?.kill();
    const second = await reader('WebSocket', category, query).open(1);
    await second.untilLine('named 9');
    expect(second.lines).toEqual(first.lines.slice(6));
    expect(await stored()).toEqual({ seq: seqOf(5), writes: 1 });
    second.probe.send({ ack: seqOf(8) });
    await expect.poll(stored, { timeout: 20_000 }).toEqual({ seq: seqOf(8), writes: 2 });
    // A cursor of its own counts more than what it acknowledged; another name has nothing.
    const asked = await reader('WebSocket', category, query).open(1, seqOf(0));
    await asked.untilLine('named 9');
    expect(asked.lines).toEqual(first.lines.slice(1));
    const other = await reader('WebSocket', category, { name: 'day-shift' }).open(1);
    await expect.poll(() => readMetric(gateway, 'natter_gateway_log_readers'), { timeout: 20_000 }).toBe(3);
    await storeInOrder(category, ['named 10']);
    await other.untilLine('named 10');
    expect(other.texts).toEqual(['named 10']);
  });
});

describe('a reader that stops reading', () => {
  it('[logs/slow-gap] [logs/slow-others] is told how many lines it was not sent, or cut off; others get every line', async () => {
    const category = 'slow';
    // In full, so that lines are as long over the wire as they are in LOGS.
    const stalled = LOG_WIRES.map((wire) => reader(wire, category, { format: 'full' }));
    for (const one of stalled) await one.open(0);
    const others = await both(category);
    await readersHere(stack, 4, 0);
    for (const one of stalled) one.pause();
    const [gateway] = stack.gateways;
    if (gateway === undefined) throw new Error('no gateway');
    const delivered = () => readMetric(gateway, 'natter_gateway_log_deliveries_total');
    // Just below 16 KiB each, and a batch below 1 MiB.
    const body = 'x'.repeat(15_000);
    const perBatch = 60;
    let sent = 0;
    // So many that what the two systems hold between them is full: only the others are sent lines.
    for (let before = await delivered(), after = Number.POSITIVE_INFINITY; after - before > perBatch * 2; ) {
      before = await delivered();
      const lines = texts(category, sent, sent + perBatch).map((text) => ({ msg: text, category, body }));
      expect((await sendLines(stack, lines, { gateway: 1 })).body.accepted).toBe(perBatch);
      sent += perBatch;
      await Promise.all(others.map((one) => one.until(() => one.lines.length === sent)));
      after = await delivered();
      expect(sent).toBeLessThan(perBatch * 100);
    }
    for (const one of stalled) one.resume();
    await Promise.all(stalled.map((one) => one.until(() => one.gaps.length > 0 || !one.isOpen)));
    await store(category, ['the end']);
    for (const one of others) {
      await one.untilLine('the end');
      expect(one.texts.toSorted()).toEqual([...texts(category, 0, sent), 'the end'].toSorted());
      expect([one.gaps, one.ends]).toEqual([[], []]);
    }
    for (const one of stalled) {
      if (one.isOpen) await one.until(() => one.texts.includes('the end') || !one.isOpen);
      const missed = one.gaps.reduce((sum, { count }) => sum + (count ?? Number.NaN), 0);
      expect(new Set(one.texts).size).toBe(one.lines.length);
      if (one.isOpen) expect(one.lines.length + missed).toBe(sent + 1);
      else expect(one.ends).toEqual(one.wire === 'SSE' ? [null] : [1013]);
      // Either way it comes back and reads what it has missed, from the line before the gap.
      const before = one.gaps[0]?.after ?? one.cursor;
      const again = await reader(one.wire, category).open(1, before);
      await again.untilLine('the end');
      const whole = others[0]?.lines ?? [];
      expect(again.lines).toEqual(whole.filter(({ seq }) => seq > (before ?? 0)));
    }
  });
});

describe('a cursor outside of what LOGS holds', () => {
  it('[logs/outside-window] is told how many lines are gone, or that nobody knows, and gets what there is', async () => {
    await storeInOrder('window', texts('window', 0, 30));
    const whole = await reader('WebSocket', 'window').open(0, 0);
    await whole.untilLine('window 29');
    const cursor = whole.lines[3]?.seq ?? -1;
    const { firstSeq } = await shortenLogs(stack, 10);
    expect(firstSeq).toBeGreaterThan(cursor + 1);
    for (const [gateway, wire] of LOG_WIRES.entries()) {
      const behind = await reader(wire, 'window').open(gateway, cursor);
      await behind.untilLine('window 29');
      expect(behind.gaps).toEqual([{ after: null, count: firstSeq - 1 - cursor }]);
      const kept = whole.lines.filter(({ seq }) => seq >= firstSeq);
      expect(behind.lines).toEqual(kept);
      // Of a stream that is no more.
      const beyond = await reader(wire, 'window').open(gateway, (whole.cursor ?? 0) + 1_000_000);
      await beyond.untilLine('window 29');
      expect(beyond.gaps).toEqual([{ after: null, count: null }]);
      expect(beyond.lines).toEqual(kept);
    }
  });
});
