import { type GatewayReply, SUBJECTS } from '@natter/proto';
import { createLogger } from '@natter/runtime';
import { frozenClock } from '@natter/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { Cluster } from '../../src/cluster/cluster.ts';
import { type FakeBus, FakeNet } from './fake-net.ts';

const log = createLogger('gateway', 'silent');
let clock = frozenClock();
let net: FakeNet;

beforeEach(() => {
  clock = frozenClock();
  net = new FakeNet();
});

interface Gateway {
  bus: FakeBus;
  cluster: Cluster;
  gone: string[];
  returned: string[];
}

async function gateway(): Promise<Gateway> {
  const bus = net.bus();
  const cluster = new Cluster(bus, log, clock.now);
  const gone: string[] = [];
  const returned: string[] = [];
  cluster.onGone((id) => gone.push(id));
  cluster.onReturned((id) => returned.push(id));
  await cluster.start();
  return { bus, cluster, gone, returned };
}

/** Seconds pass, with a tick of each gateway at each. */
function pass(seconds: number, ...gateways: Gateway[]): void {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1_000);
    for (const { cluster } of gateways) cluster.tick();
  }
}

describe('Cluster', () => {
  it('knows all others as soon as it has started', async () => {
    const [one, two] = [await gateway(), await gateway()];
    const three = await gateway();
    for (const { cluster } of [one, two, three]) expect(cluster.size).toBe(3);
  });

  it('says that it lives every two seconds', async () => {
    const one = await gateway();
    pass(10, one);
    const signs = one.bus.published.filter(({ subject }) => subject === SUBJECTS.gatewayAlive);
    expect(signs).toHaveLength(5);
  });

  it('forgets a gateway that was silent for six seconds, and not before', async () => {
    const [one, two] = [await gateway(), await gateway()];
    pass(4, one, two);
    two.bus.dead = true;
    pass(5, one);
    expect(one.gone).toEqual([]);
    pass(2, one);
    expect(one.gone).toEqual([two.cluster.id]);
    expect(one.cluster.size).toBe(1);
  });

  it('forgets one at once that says that it stops', async () => {
    const [one, two] = [await gateway(), await gateway()];
    two.cluster.stop();
    expect(one.gone).toEqual([two.cluster.id]);
  });

  it('declares nobody dead while it is cut off itself, and gives them six seconds after that', async () => {
    const [one, two] = [await gateway(), await gateway()];
    pass(2, one, two);
    one.bus.dead = true;
    two.bus.dead = true;
    pass(60, one, two);
    one.bus.reconnect();
    pass(5, one);
    expect(one.gone).toEqual([]);
    pass(5, one);
    expect(one.gone).toEqual([two.cluster.id]);
  });

  it('tells of a gateway that comes back after it was taken for gone', async () => {
    const [one, two] = [await gateway(), await gateway()];
    pass(2, one, two);
    two.bus.dead = true;
    pass(8, one, two);
    expect(one.gone).toEqual([two.cluster.id]);
    two.bus.reconnect();
    pass(2, one, two);
    expect(one.returned).toEqual([two.cluster.id]);
    expect(one.cluster.size).toBe(2);
  });

  it('tells of no return when a gateway starts', async () => {
    const one = await gateway();
    pass(30, one);
    await gateway();
    expect(one.returned).toEqual([]);
  });

  it('gathers the answers of all gateways, its own among them', async () => {
    const gateways = [await gateway(), await gateway(), await gateway()];
    for (const { cluster } of gateways)
      cluster.answer(({ type }) => ({ type: type as 'connection', found: null }));
    const replies = await (gateways[0] as Gateway).cluster.ask({ type: 'connection', id: 'c' });
    expect(replies.map(({ gateway }) => gateway).sort()).toEqual(
      gateways.map(({ cluster }) => cluster.id).sort(),
    );
  });

  it('leaves out an answer that is none', async () => {
    const one = await gateway();
    net.bus().subscribe(SUBJECTS.askGateways, (message) => message.respond('not JSON'));
    net.bus().subscribe(SUBJECTS.askGateways, (message) => {
      const reply: GatewayReply = { gateway: 'a', answer: { type: 'user_connections', found: [] } };
      message.respond(JSON.stringify(reply));
    });
    expect(await one.cluster.ask({ type: 'connection', id: 'c' })).toEqual([]);
  });

  it('bears a sign of life that is none', async () => {
    const one = await gateway();
    net.deliver(SUBJECTS.gatewayAlive, 'not JSON');
    net.deliver(SUBJECTS.gatewayAlive, '{"gateway":"../..","ageMs":1}');
    expect(one.cluster.size).toBe(1);
  });
});
