import { LiveEvent, SUBJECTS } from '@natter/proto';
import { createLogger } from '@natter/runtime';
import { frozenClock } from '@natter/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { answerGateways } from '../../src/cluster/answer-gateways.ts';
import { Cluster } from '../../src/cluster/cluster.ts';
import type { ConnectionsHere } from '../../src/cluster/connections-here.ts';
import { Presence, type PresenceChange } from '../../src/cluster/presence.ts';
import { FakeNet } from './fake-net.ts';

const log = createLogger('gateway', 'silent');
const KEY = '=room=life';
const NOBODY: ConnectionsHere = {
  stats: () => ({ connections: 0, users: [], rooms: [], queuedMessages: 0, typing: 0 }),
  connection: () => null,
  ofUser: () => [],
  typing: () => [],
};

let clock = frozenClock();
let net: FakeNet;

beforeEach(() => {
  clock = frozenClock();
  net = new FakeNet();
});

async function gateway(here: Partial<ConnectionsHere> = {}) {
  const bus = net.bus();
  const cluster = new Cluster(bus, log, clock.now);
  const presence = new Presence(cluster, bus, log, clock.now);
  answerGateways(cluster, presence, { ...NOBODY, ...here }, { size: 0, disconnectAll: () => 0 });
  await cluster.start();
  bus.subscribe(SUBJECTS.liveOut(KEY), ({ data }) => {
    const event = LiveEvent.parse(JSON.parse(Buffer.from(data).toString()));
    if (event.type === 'presence') presence.receive(KEY, event);
  });
  const changes: string[] = [];
  const listener = ({ type, sub }: PresenceChange) => void changes.push(`${sub} ${type}`);
  return {
    bus,
    cluster,
    presence,
    changes,
    listener,
    watch: () => presence.watch(KEY, listener),
    who: () => presence.who(KEY).map(({ sub }) => sub),
    questions: () => bus.published.filter(({ subject }) => subject === SUBJECTS.askGateways),
    told: () =>
      bus.published.filter(({ subject }) => subject === SUBJECTS.liveOut(KEY)).map(({ body }) => body),
  };
}

type Gateway = Awaited<ReturnType<typeof gateway>>;

/** Changes are told at the end of a turn of the event loop; answers take a few microtasks. */
const settled = async () => {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

async function pass(seconds: number, ...gateways: Gateway[]): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1_000);
    for (const { cluster, presence } of gateways) {
      cluster.tick();
      presence.tick();
    }
    await settled();
  }
}

describe('Presence', () => {
  it('tells who comes to and goes from another gateway', async () => {
    const [one, two] = [await gateway(), await gateway()];
    await one.watch();
    two.presence.enter(KEY, 'bob', 'Bob');
    await settled();
    expect(one.presence.who(KEY)).toEqual([{ sub: 'bob', name: 'Bob' }]);
    two.presence.exit(KEY, 'bob');
    await settled();
    expect(one.changes).toEqual(['bob came', 'bob went']);
    expect(one.who()).toEqual([]);
  });

  it('tells of a user once, however many connections they have on however many gateways', async () => {
    const [one, two] = [await gateway(), await gateway()];
    await one.watch();
    one.presence.enter(KEY, 'bob', null);
    one.presence.enter(KEY, 'bob', null);
    two.presence.enter(KEY, 'bob', null);
    await settled();
    one.presence.exit(KEY, 'bob');
    one.presence.exit(KEY, 'bob');
    await settled();
    expect(one.changes).toEqual(['bob came']);
    two.presence.exit(KEY, 'bob');
    await settled();
    expect(one.changes).toEqual(['bob came', 'bob went']);
  });

  it('knows who was there before it watched, and does not tell that they came', async () => {
    const [one, two] = [await gateway(), await gateway()];
    two.presence.enter(KEY, 'bob', null);
    one.presence.enter(KEY, 'alice', null);
    await settled();
    await one.watch();
    expect(one.who().sort()).toEqual(['alice', 'bob']);
    expect(one.changes).toEqual([]);
  });

  it('tells nothing of a user who comes and goes in one turn of the event loop', async () => {
    const [one, two] = [await gateway(), await gateway()];
    await one.watch();
    two.presence.enter(KEY, 'bob', null);
    two.presence.exit(KEY, 'bob');
    await settled();
    expect(two.told()).toEqual([]);
    expect(one.changes).toEqual([]);
  });

  it('cuts a crowd into events of 256', async () => {
    const [one, two] = [await gateway(), await gateway()];
    await one.watch();
    for (let user = 0; user < 600; user += 1) two.presence.enter(KEY, `u${user}`, null);
    await settled();
    expect(two.told().map(({ n, came }) => [n, (came as unknown[]).length])).toEqual([
      [1, 256],
      [2, 256],
      [3, 88],
    ]);
    expect(one.who()).toHaveLength(600);
  });

  it('asks again when it sees that a change is missing', async () => {
    const [one, two] = [await gateway(), await gateway()];
    await one.watch();
    two.presence.enter(KEY, 'bob', null);
    await settled();
    two.bus.dead = true;
    two.presence.enter(KEY, 'carol', null);
    await settled();
    two.bus.dead = false;
    two.presence.enter(KEY, 'dave', null);
    await settled();
    expect(one.who().sort()).toEqual(['bob', 'carol', 'dave']);
    expect(one.changes).toEqual(['bob came', 'carol came', 'dave came']);
  });

  it('forgets the users of a gateway that is gone, but for those who are elsewhere too', async () => {
    const [one, two] = [await gateway(), await gateway()];
    await one.watch();
    two.presence.enter(KEY, 'bob', null);
    two.presence.enter(KEY, 'alice', null);
    one.presence.enter(KEY, 'alice', null);
    await settled();
    two.bus.dead = true;
    await pass(9, one);
    expect(one.changes).toEqual(['alice came', 'bob came', 'bob went']);
    expect(one.who()).toEqual(['alice']);
  });

  it('finds them again when it was only cut off', async () => {
    const [one, two] = [await gateway(), await gateway()];
    await one.watch();
    two.presence.enter(KEY, 'bob', null);
    await settled();
    two.bus.dead = true;
    await pass(9, one, two);
    expect(one.who()).toEqual([]);
    two.bus.dead = false;
    await pass(3, one, two);
    expect(one.who()).toEqual(['bob']);
  });

  it('learns after a reconnect what it missed', async () => {
    const [one, two] = [await gateway(), await gateway()];
    await one.watch();
    two.presence.enter(KEY, 'bob', null);
    await settled();
    one.bus.disconnect();
    two.presence.exit(KEY, 'bob');
    two.presence.enter(KEY, 'carol', null);
    await settled();
    one.bus.reconnect();
    await settled();
    expect(one.who()).toEqual(['carol']);
  });

  it('makes the others ask when its own last changes may be lost', async () => {
    const [one, two] = [await gateway(), await gateway()];
    await one.watch();
    two.presence.enter(KEY, 'bob', null);
    await settled();
    // The link is dead, and nobody has noticed yet.
    two.bus.dead = true;
    two.presence.exit(KEY, 'bob');
    await settled();
    two.bus.disconnect();
    await pass(5, two);
    two.bus.reconnect();
    await settled();
    expect(one.who()).toEqual([]);
  });

  it('tells after a reconnect what changed while it was away', async () => {
    const [one, two] = [await gateway(), await gateway()];
    await one.watch();
    two.bus.disconnect();
    two.presence.enter(KEY, 'bob', null);
    await settled();
    expect(two.told()).toEqual([]);
    two.bus.reconnect();
    await settled();
    expect(one.who()).toEqual(['bob']);
  });

  it('counts on when a room was empty and forgotten, so that a lost change is seen', async () => {
    const [one, two] = [await gateway(), await gateway()];
    await one.watch();
    two.presence.enter(KEY, 'bob', null);
    two.presence.enter(KEY, 'carol', null);
    await settled();
    two.presence.exit(KEY, 'bob');
    two.presence.exit(KEY, 'carol');
    await settled();
    await pass(30, one, two);
    two.bus.dead = true;
    two.presence.enter(KEY, 'dave', null);
    await settled();
    two.bus.dead = false;
    two.presence.enter(KEY, 'erin', null);
    await settled();
    expect(one.who().sort()).toEqual(['dave', 'erin']);
  });

  it('stops telling whoever does not watch any more', async () => {
    const [one, two] = [await gateway(), await gateway()];
    await one.watch();
    one.presence.unwatch(KEY, one.listener);
    two.presence.enter(KEY, 'bob', null);
    await settled();
    expect(one.changes).toEqual([]);
    expect(one.who()).toEqual([]);
  });

  it('finds who is in a room that nobody watches here, and who is typing', async () => {
    const [one, two] = [await gateway(), await gateway({ typing: () => ['bob'] })];
    two.presence.enter(KEY, 'bob', 'Bob');
    one.presence.enter(KEY, 'alice', null);
    expect(await one.presence.whoAnywhere(KEY)).toEqual({
      users: [
        { sub: 'alice', name: null },
        { sub: 'bob', name: 'Bob' },
      ],
      typing: ['bob'],
    });
  });

  it('ignores an exit of somebody who is not there', async () => {
    const one = await gateway();
    one.presence.exit(KEY, 'nobody');
    one.presence.enter(KEY, 'alice', null);
    one.presence.exit(KEY, 'alice');
    one.presence.exit(KEY, 'alice');
    await settled();
    expect(one.who()).toEqual([]);
    expect(one.told()).toEqual([]);
  });
});
