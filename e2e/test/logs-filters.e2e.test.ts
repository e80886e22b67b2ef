/** Which lines a reader gets: by service, level and category, and how many of the past. */
import { LOG_LEVELS, type LogLevel } from '@natter/proto';
import { freePort } from '@natter/runtime';
import { type NatsServer, type Stack, startNatsServer, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LOGS_KEY, readersHere, storeLines } from '../src/log-http.ts';
import { LOG_WIRES, LogReader, type LogWireName } from '../src/log-reader.ts';
import { logSubscriptions, monitoring } from '../src/log-subscriptions.ts';
import { reportFailures } from '../src/report-failures.ts';

const SERVICES = ['shop', 'shop.eu', 'depot'];
const CATEGORIES = ['orders', 'general', 'a_b'];

let stack: Stack;
let nats: NatsServer;
let monitorPort: number;
beforeAll(async () => {
  monitorPort = await freePort();
  nats = await startNatsServer({ signIn: true, configExtra: monitoring(monitorPort) });
  stack = await startStack({
    nats,
    gateways: 2,
    env: { LOGS_API_KEY: LOGS_KEY, WS_RATE_LIMIT_REQUESTS: '10000' },
  });
});
afterAll(async () => {
  await stack?.stop();
  await nats?.stop();
});
reportFailures(() => stack);

const open: LogReader[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((reader) => reader.close()));
  await readersHere(stack, 0, 0);
});

type Query = Partial<Record<'service' | 'level' | 'category' | 'tail', string>>;

function reader(wire: LogWireName, query: Query): LogReader {
  const made = new LogReader(stack, wire, { key: LOGS_KEY, query });
  open.push(made);
  return made;
}

interface Kind {
  service: string;
  level: LogLevel;
  category: string;
}

const KINDS: Kind[] = SERVICES.flatMap((service) =>
  LOG_LEVELS.flatMap((level) => CATEGORIES.map((category) => ({ service, level, category }))),
);

/** One line of every kind, each with its kind in its text. */
const ofAllKinds = (round: string) =>
  KINDS.map((kind) => ({ ...kind, msg: [round, kind.service, kind.level, kind.category].join(' ') }));

/** What the filter says in words. */
function meets({ service, level, category }: Query): (kind: Kind) => boolean {
  return (kind) =>
    (service === undefined || kind.service === service) &&
    (category === undefined || kind.category === category) &&
    (level === undefined || LOG_LEVELS.indexOf(kind.level) >= LOG_LEVELS.indexOf(level as LogLevel));
}

const FILTERS: [what: string, filter: Query][] = [
  ['[logs/filter-category] a category', { category: 'orders' }],
  ['[logs/filter-category] a category with a character of its own', { category: 'a_b' }],
  ['[logs/filter-service] a service', { service: 'shop' }],
  ['[logs/filter-service] a service whose name has a dot', { service: 'shop.eu' }],
  ['[logs/filter-level] the least severe level', { level: 'trace', service: 'shop' }],
  ['[logs/filter-level] a level in the middle', { level: 'warn', service: 'shop' }],
  ['[logs/filter-level] the most severe level', { level: 'fatal', category: 'orders' }],
  ['[logs/filters] all three', { service: 'depot', level: 'error', category: 'general' }],
  ['[logs/filters] all three, most of them', { service: 'shop', level: 'debug', category: 'orders' }],
];

describe('a filter', () => {
  it.each(FILTERS)(
    '%s: lets through what meets it, live and from the past, on both wires and gateways',
    async (what, filter) => {
      const live = LOG_WIRES.map((wire) => reader(wire, filter));
      for (const [gateway, one] of live.entries()) await one.open(gateway);
      await readersHere(stack, 1, 1);
      const wanted = ofAllKinds(what)
        .filter(meets(filter))
        .map(({ msg }) => msg);
      await storeLines(stack, ofAllKinds(what));
      // Behind all the others, so that what must not come would have come before.
      const { service = 'shop', level = 'info', category = 'orders' } = filter;
      await storeLines(stack, [{ service, level, category, msg: `${what} last` }], 1);
      for (const one of live) {
        await one.untilLine(`${what} last`);
        expect(one.texts.toSorted()).toEqual([...wanted, `${what} last`].toSorted());
      }
      const [onSocket, onStream] = live;
      expect(onStream?.lines).toEqual(onSocket?.lines);
      const tail = String(wanted.length + 1);
      for (const [gateway, wire] of LOG_WIRES.entries()) {
        const late = await reader(wire, { ...filter, tail }).open(gateway);
        await late.untilLine(`${what} last`);
        expect(late.lines).toEqual(onSocket?.lines);
      }
    },
  );

  it('[logs/filters-at-broker] is what the gateway subscribes to, once for all of its readers, and as long as one of them reads', async () => {
    const subscriptions = () => logSubscriptions(monitorPort);
    await expect.poll(subscriptions).toEqual([]);
    const severe = { service: 'shop', level: 'error', category: 'orders' };
    for (const wire of [...LOG_WIRES, ...LOG_WIRES]) await reader(wire, severe).open(0);
    await readersHere(stack, 4, 0);
    const ofSevere = ['logs.out.shop.error.orders', 'logs.out.shop.fatal.orders'];
    expect(await subscriptions()).toEqual(ofSevere);
    const other = await reader('SSE', { category: 'general' }).open(1);
    await readersHere(stack, 4, 1);
    expect(await subscriptions()).toEqual(['logs.out.*.*.general', ...ofSevere]);
    await other.close();
    await open[0]?.close();
    await readersHere(stack, 3, 0);
    expect(await subscriptions()).toEqual(ofSevere);
    await Promise.all(open.map((one) => one.close()));
    await readersHere(stack, 0, 0);
    await expect.poll(subscriptions).toEqual([]);
  });
});

describe('tail', () => {
  /** `of` lines of a service, so many of them with the category. */
  const mixed = (service: string, category: string, of: number, every: number) =>
    Array.from({ length: of }, (_, at) => ({
      msg: `${category} ${at}`,
      service,
      category: at % every === 0 ? category : 'general',
    }));

  /** All lines of a filter there are, in their order. */
  async function all(filter: Query, count: number): Promise<LogReader> {
    const one = await reader('WebSocket', filter).open(0, 0);
    await one.until(() => one.lines.length === count);
    return one;
  }

  it('[logs/tail] sends the newest 100 that meet the filter, then what comes, and no more', async () => {
    await storeLines(stack, mixed('tail', 'wanted', 450, 3));
    const filter = { service: 'tail', category: 'wanted' };
    const whole = await all(filter, 150);
    for (const [gateway, wire] of LOG_WIRES.entries()) {
      const one = await reader(wire, { ...filter, tail: '100' }).open(gateway);
      await one.until(() => one.lines.length >= 100);
      expect(one.lines).toEqual(whole.lines.slice(50));
    }
    await storeLines(stack, [{ service: 'tail', category: 'wanted', msg: 'New' }], 1);
    for (const one of open) await one.untilLine('New');
    for (const one of open.slice(1)) expect(one.lines).toEqual(whole.lines.slice(50));
  });

  it('[logs/tail] finds the few lines of a sparse filter among thousands of others', async () => {
    for (let batch = 0; batch < 2; batch += 1)
      await storeLines(stack, mixed('sparse', 'needle', 1_000, 1_000));
    const filter = { service: 'sparse', category: 'needle', level: 'info' };
    const whole = await all(filter, 2);
    for (const [gateway, wire] of LOG_WIRES.entries()) {
      const newest = await reader(wire, { ...filter, tail: '1' }).open(gateway);
      const more = await reader(wire, { ...filter, tail: '1000' }).open(gateway);
      await newest.until(() => newest.lines.length >= 1);
      await more.until(() => more.lines.length >= 2);
      expect(newest.lines).toEqual(whole.lines.slice(1));
      expect(more.lines).toEqual(whole.lines);
    }
  });

  it.each(['tail=1001', 'tail=-1', 'tail=x', 'level=loud', 'category=a%20b', 'service=%3E', 'cursor=1.5'])(
    '%s is refused by its name: one error, 1008 or 400',
    async (query) => {
      const refusal = { code: 'INVALID_FIELD', detail: query.split('=')[0] };
      const one = reader('WebSocket', Object.fromEntries(new URLSearchParams(query)) as Query);
      await one.open();
      await one.until(() => !one.isOpen);
      expect(one).toMatchObject({ lines: [], ends: [1008], others: [refusal] });
      const stream = reader('SSE', Object.fromEntries(new URLSearchParams(query)) as Query);
      await expect(stream.open()).rejects.toMatchObject({ status: 400, body: refusal });
    },
  );
});
