import { LiveEvent, roomKey, SUBJECTS } from '@natter/proto';
import { Bus, createLogger } from '@natter/runtime';
import { type FrozenClock, frozenClock, type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { answerGateways } from '../../src/cluster/answer-gateways.ts';
import { Cluster } from '../../src/cluster/cluster.ts';
import { Presence } from '../../src/cluster/presence.ts';

const log = createLogger('gateway', 'silent');
let nats: NatsServer;

beforeAll(async () => {
  nats = await startNatsServer({ signIn: true });
});
afterAll(() => nats.stop());

async function gateway(key: string, clock: FrozenClock) {
  const bus = await Bus.connect({ url: nats.url, name: 'gateway', nkeyFile: nats.keyFile('gateway') }, log);
  onTestFinished(() => bus.close());
  const cluster = new Cluster(bus, log, clock.now);
  const presence = new Presence(cluster, bus, log, clock.now);
  const nobody = {
    stats: () => ({ connections: 0, users: [], rooms: [], queuedMessages: 0, typing: 0 }),
    connection: () => null,
    ofUser: () => [],
    typing: () => [],
  };
  answerGateways(cluster, presence, nobody, { size: 0, disconnectAll: () => 0 });
  bus.subscribe(SUBJECTS.liveOut(key), ({ data }) => {
    const event = LiveEvent.parse(JSON.parse(Buffer.from(data).toString()));
    if (event.type === 'presence') presence.receive(key, event);
  });
  await cluster.start();
  const changes: string[] = [];
  const listener = ({ type, sub }: { type: string; sub: string }) => void changes.push(`${sub} ${type}`);
  return {
    bus,
    cluster,
    presence,
    changes,
    watch: () => presence.watch(key, listener),
    who: () =>
      presence
        .who(key)
        .map(({ sub }) => sub)
        .sort(),
  };
}

describe('presence over a broker', () => {
  it('is the same on both gateways, and without those of one that vanished', async () => {
    const clock = frozenClock();
    const key = roomKey('lobby', 'one');
    const one = await gateway(key, clock);
    const two = await gateway(key, clock);
    await vi.waitUntil(() => one.cluster.size === 2 && two.cluster.size === 2);
    two.presence.enter(key, 'bob', null);
    await two.watch();
    await one.watch();
    one.presence.enter(key, 'alice', null);
    await vi.waitUntil(() => two.who().length === 2);
    expect(one.who()).toEqual(['alice', 'bob']);
    expect(two.who()).toEqual(['alice', 'bob']);

    // Killed: it says nothing any more, and nothing of its going.
    await two.bus.close();
    let echoes = 0;
    one.bus.subscribe(SUBJECTS.gatewayAlive, () => {
      echoes += 1;
    });
    for (let sign = 1; sign <= 4; sign += 1) {
      clock.advance(2_000);
      one.cluster.tick();
      await vi.waitUntil(() => echoes === sign);
    }
    one.cluster.tick();
    expect(one.who()).toEqual(['alice']);
    expect(one.changes).toEqual(['alice came', 'bob went']);
  });

  it('is asked for anew after the broker was killed', async () => {
    const clock = frozenClock();
    const key = roomKey('lobby', 'two');
    const one = await gateway(key, clock);
    const two = await gateway(key, clock);
    await one.watch();
    two.presence.enter(key, 'bob', null);
    await vi.waitUntil(() => one.who().length === 1);
    const back = Promise.all([one, two].map(({ bus }) => new Promise<void>((go) => bus.onReconnect(go))));
    await nats.kill();
    two.presence.exit(key, 'bob');
    two.presence.enter(key, 'carol', null);
    await nats.restart();
    await back;
    // Whichever of them was back first: the retries of a question are ticks.
    await vi.waitUntil(
      () => {
        clock.advance(1_000);
        for (const { presence } of [one, two]) presence.tick();
        return one.who().join() === 'carol';
      },
      { timeout: 10_000 },
    );
  });

  it('is counted over all gateways, each of them answering once', async () => {
    const clock = frozenClock();
    const gateways = [
      await gateway('=x=1', clock),
      await gateway('=x=1', clock),
      await gateway('=x=1', clock),
    ];
    const replies = await gateways[2]?.cluster.ask({ type: 'connection', id: 'nowhere' });
    const ids = new Set(replies?.map((reply) => reply.gateway));
    for (const { cluster } of gateways) expect(ids).toContain(cluster.id);
    expect(replies).toHaveLength(ids.size);
  });
});
