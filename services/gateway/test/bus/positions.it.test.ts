import { randomUUID } from 'node:crypto';
import { conversationKey, encodeToken, type LogEntry, roomKey, SUBJECTS } from '@natter/proto';
import { Bus, createLogger, ensureTopology } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Positions } from '../../src/bus/positions.ts';

const log = createLogger('gateway', 'silent');
const KEY = roomKey('a.b', 'one');
let nats: NatsServer;
let bus: Bus;

beforeAll(async () => {
  nats = await startNatsServer({ signIn: true });
  const connect = (name: 'gateway' | 'agent') =>
    Bus.connect({ url: nats.url, name, nkeyFile: nats.keyFile(name) }, log);
  const agent = await connect('agent');
  await ensureTopology(agent, { replicas: 1, transcriptDays: 1 });
  await agent.close();
  bus = await connect('gateway');
});

afterAll(async () => {
  await bus.close();
  await nats.stop();
});

const at = (seq: number) => ({ log: seq, end: seq, run: '', at: 0, marks: 0 });
const subject = (sub: string, key: string) => `$KV.positions.${encodeToken(sub)}.${key}`;

/** As the auth service makes an entry. */
async function join(sub: string, key = KEY): Promise<void> {
  await bus.append(subject(sub, key), '{"seq":0}', { id: randomUUID() });
}

async function leave(sub: string): Promise<void> {
  const bucket = await bus.bucket('positions');
  await bucket.delete(`${encodeToken(sub)}.${KEY}`);
}

let said = 0;
async function say(key: string): Promise<number> {
  said += 1;
  const run = 'abcdefghij'[said % 10]?.repeat(25).concat('abcdefghij'[Math.floor(said / 10)] ?? 'z');
  const entry = {
    type: 'message.posted',
    run,
    id: `m${said}`,
    sub: 'x',
    name: null,
    text: 'hi',
    asks: false,
    at: 1,
  };
  const { seq } = await bus.append(SUBJECTS.conversationLog(key), JSON.stringify(entry as LogEntry), {
    id: `said-${said}`,
  });
  return seq;
}

describe('Positions', () => {
  it('are read as they were written, one or all of a user', async () => {
    const positions = new Positions(bus, log);
    const own = conversationKey('al>ice', 'x');
    await join('al>ice');
    await join('al>ice', own);
    const position = { log: 7, end: 5, run: 'a'.repeat(26), at: 12, marks: 3 };
    await positions.write('al>ice', KEY, position);
    await positions.write('al>ice', own, at(9));
    expect(await new Positions(bus, log).read('al>ice', KEY)).toEqual(position);
    const all = await new Positions(bus, log).readAll('al>ice', () => true);
    expect(all).toEqual(
      new Map([
        [KEY, position],
        [own, at(9)],
      ]),
    );
  });

  it('never go back, whichever of two gateways is late', async () => {
    const [one, two] = [new Positions(bus, log), new Positions(bus, log)];
    await join('bob');
    await one.write('bob', KEY, at(5));
    await two.write('bob', KEY, at(9));
    await one.write('bob', KEY, at(7));
    expect(await two.read('bob', KEY)).toEqual(at(9));
    await one.write('bob', KEY, at(10));
    expect(await two.read('bob', KEY)).toEqual(at(10));
  });

  it('end at the furthest of many writes at once from two gateways', async () => {
    const both = [new Positions(bus, log), new Positions(bus, log)];
    await join('carol');
    const writes = Array.from({ length: 40 }, (_, index) =>
      both[index % 2]?.write('carol', KEY, at(((index * 7) % 40) + 1)),
    );
    await Promise.all(writes);
    expect(await both[0]?.read('carol', KEY)).toEqual(at(40));
  });

  it('are not made for somebody who is no member, nor brought back after a kick', async () => {
    const positions = new Positions(bus, log);
    await positions.write('dave', KEY, at(3));
    expect(await positions.read('dave', KEY)).toBeNull();
    await join('dave');
    await positions.write('dave', KEY, at(3));
    await leave('dave');
    await positions.write('dave', KEY, at(4));
    expect(await positions.read('dave', KEY)).toBeNull();
    expect(await positions.readAll('dave', () => true)).toEqual(new Map());
  });

  it('of a member who was sent nothing yet are where the room was when they came', async () => {
    const key = roomKey('quiet', 'one');
    const positions = new Positions(bus, log);
    await join('erin', key);
    expect(await positions.read('erin', key)).toEqual(at(0));
    const before = [await say(key), await say(key), await say(key)];
    // The broker's clock must be past the millisecond of the last message.
    const from = Date.now();
    await vi.waitUntil(() => Date.now() > from + 1);
    await join('frank', key);
    expect(await positions.read('frank', key)).toEqual(at(before[2] ?? 0));
    await say(roomKey('other', 'one'));
    await say(key);
    await say(key);
    expect(await positions.read('frank', key)).toEqual(at(before[2] ?? 0));
    expect(await positions.read('erin', key)).toEqual(at(0));
  });

  it('bear an entry that is none', async () => {
    await bus.append(subject('gina', KEY), 'not JSON', { id: 'garbage' });
    expect(await new Positions(bus, log).read('gina', KEY)).toBeNull();
  });
});

it('reads the positions of many users in one request, and only of the rooms that are wanted', async () => {
  const users = Array.from({ length: 20 }, (_, index) => `many.${index}`);
  const other = roomKey('other', 'one');
  for (const sub of users) for (const key of [KEY, other]) await join(sub, key);
  const positions = new Positions(bus, log);
  for (const [index, sub] of users.entries()) await positions.write(sub, KEY, at(index + 1));
  const reads = vi.spyOn(bus.stored, 'lastOfEach');
  const found = await Promise.all(
    [...users, 'nobody', users[3] ?? ''].map((sub) => positions.readAll(sub, (key) => key === KEY)),
  );
  expect(reads).toHaveBeenCalledOnce();
  expect(found.map((one) => [...one].map(([key, { log }]) => [key, log]))).toEqual([
    ...users.map((_, index) => [[KEY, index + 1]]),
    [],
    [[KEY, 4]],
  ]);
});

it('reads more than one request gives in pages', async () => {
  const keys = Array.from({ length: 1_030 }, (_, index) => roomKey(`p${index}`, 'one'));
  await Promise.all(keys.map((key) => join('flora', key)));
  const positions = new Positions(bus, log);
  const [flora, nobody] = await Promise.all([
    positions.readAll('flora', () => true),
    positions.readAll('nobody', () => true),
  ]);
  expect([...flora.keys()].toSorted()).toEqual(keys.toSorted());
  expect(nobody.size).toBe(0);
});
