import { BUCKETS } from '@natter/proto';
import { Bus, createLogger, ensureTopology } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogPositions } from '../../../src/bus/logs/log-positions.ts';

const log = createLogger('gateway', 'silent');
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

const at = (seq: number, life = 'one') => ({ seq, life });

describe('positions of readers of logs', () => {
  it('are kept by key and name, whatever those are made of', async () => {
    const positions = new LogPositions(bus, log);
    expect(await positions.read('natter:key:a', 'ci.1')).toBeNull();
    positions.write('natter:key:a', 'ci.1', at(5));
    positions.write('natter:key:b', 'ci.1', at(7));
    expect(await positions.read('natter:key:a', 'ci.1')).toEqual(at(5));
    expect(await positions.read('natter:key:b', 'ci.1')).toEqual(at(7));
    expect(await positions.read('natter:key:a', 'ci_1')).toBeNull();
  });

  it('never go back, and end at the furthest of many from two gateways', async () => {
    const both = [new LogPositions(bus, log), new LogPositions(bus, log)];
    for (let index = 0; index < 60; index += 1)
      both[index % 2]?.write('k', 'many', at(((index * 7) % 60) + 1));
    for (const positions of both) await positions.settled();
    expect(await both[0]?.read('k', 'many')).toEqual(at(60));
    both[1]?.write('k', 'many', at(3));
    expect(await both[1]?.read('k', 'many')).toEqual(at(60));
  });

  it('begin again in another life of LOGS', async () => {
    const positions = new LogPositions(bus, log);
    positions.write('k', 'lives', at(500));
    await positions.settled();
    positions.write('k', 'lives', at(2, 'two'));
    expect(await positions.read('k', 'lives')).toEqual(at(2, 'two'));
  });

  it('bear an entry that is none', async () => {
    await bus.append(`$KV.${BUCKETS.logPositions}.k.garbage`, 'not JSON', { id: 'garbage' });
    const positions = new LogPositions(bus, log);
    expect(await positions.read('k', 'garbage')).toBeNull();
    positions.write('k', 'garbage', at(1));
    expect(await positions.read('k', 'garbage')).toEqual(at(1));
  });

  it('are kept for 64 names of a user, also when more come at once, and go on for those', async () => {
    const positions = new LogPositions(bus, log);
    for (let index = 0; index < 80; index += 1) positions.write('natter:key:many', `n${index}`, at(1));
    await positions.settled();
    const subjects = await bus.subjectsOf(`KV_${BUCKETS.logPositions}`, '$KV.log_positions.>');
    const names = subjects.filter((subject) => subject.includes('many.n'));
    expect(names).toHaveLength(64);
    expect(await positions.takes('natter:key:many', 'another')).toBe(false);
    const kept = names[0]?.split('.').at(-1) ?? '';
    expect(await positions.takes('natter:key:many', kept)).toBe(true);
    positions.write('natter:key:many', kept, at(2));
    expect(await positions.read('natter:key:many', kept)).toEqual(at(2));
    // Nobody else notices.
    expect(await positions.takes('natter:key:other', 'n0')).toBe(true);
  });
});
