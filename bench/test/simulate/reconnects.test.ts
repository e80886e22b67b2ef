import { describe, expect, it } from 'vitest';
import { drainTimeMs, type Parameters, parametersOf } from '../../src/simulate/parameters.ts';
import { type Blow, Reconnects, type Script } from '../../src/simulate/reconnects.ts';
import { SCENARIOS } from '../../src/simulate/scenarios.ts';

const FLEET = {
  gateways: 4,
  connections: 1_000,
  gatewayCores: 1,
  authCores: 1,
  brokerCores: 1,
  connectMicros: 200,
  resumeMicros: 800,
  authMicros: 300,
  brokerMicros: 400,
  catchUpMicros: 100,
  watched: 500,
  zones: 2,
  gatewayBackground: 0,
  authBackground: 0,
  brokerBackground: 0,
};
/** Nothing but queues: no network, no jitter, no patience that ends. */
const BARE = { roundTripMs: 0, busRoundTripMs: 0, backoffBaseMs: 0, timeoutMs: 1e9, authLimit: 0 };

function killed(parameters: Parameters, script: Partial<Script> = {}): Reconnects {
  const blows: Blow[] = [{ atMs: 0, kind: 'kill', gateway: 0 }];
  return new Reconnects(parameters, { blows, left: 1, brokerBackMs: 0, ...script });
}

describe('clients that lost their gateway', () => {
  it('come back as fast as one server that does all their work one after the other', () => {
    // Two gateways: the other one has all of the work, 1 ms for each, and nothing else takes longer.
    const { away } = killed(parametersOf(FLEET, BARE, { gateways: 2 })).run();
    // Upgrades come first, 200 ms for all; auth and broker end while the gateway sends the rest.
    expect(away.max).toBeCloseTo(1, 2);
    expect(away.p50).toBeCloseTo(0.2 + 0.4, 1);
  });

  it('come back as fast as the slowest tier lets them', () => {
    const { away } = killed(parametersOf(FLEET, BARE, { gateways: 101, brokerMicros: 3_000 })).run();
    expect(away.max).toBeCloseTo(3, 1);
    expect(away.p50).toBeCloseTo(1.5, 1);
  });

  it('take the mean of their jitter and the network, where nothing is busy', () => {
    const idle = { gateways: 101, connectMicros: 0, resumeMicros: 0, authMicros: 0, brokerMicros: 0 };
    const jitter = { backoffBaseMs: 4_000, roundTripMs: 50 };
    const { away, tries } = killed(parametersOf(FLEET, BARE, idle, jitter)).run();
    expect(away.p50).toBeCloseTo(2.05, 0);
    expect(away.max).toBeLessThanOrEqual(4.05);
    expect(tries).toBe(1);
  });

  it('are all back in the end, and every try has one outcome', () => {
    const parameters = parametersOf(FLEET, {
      timeoutMs: 300,
      pendingLimit: 600,
      backoffBaseMs: 100,
      restartMs: 500,
    });
    for (const { name, run } of SCENARIOS) {
      const outcome = run(parameters);
      expect([name, outcome.missing]).toEqual([name, null]);
      expect(outcome.series.every(({ connected }) => connected >= 0 && connected <= 1)).toBe(true);
    }
    const storm = killed(parameters, {
      blows: [0, 1].map((gateway) => ({ atMs: 0, kind: 'kill', gateway })),
    });
    storm.run();
    const { lost, tries, refused, timedOut, cutOff, back } = storm.tallies;
    expect(refused).toBeGreaterThan(0);
    expect(timedOut).toBeGreaterThan(0);
    expect(tries).toBe(back + refused + timedOut + cutOff);
    expect([lost, back, storm.clients.missing]).toEqual([2_000, 2_000, 0]);
    expect([...storm.gateways.connections].reduce((sum, count) => sum + count, 0)).toBe(4_000);
    expect([...storm.gateways.pending]).toEqual([0, 0, 0, 0]);
  });

  it('do no more and no less work than their tries need', () => {
    const storm = killed(parametersOf(FLEET, BARE));
    storm.run();
    const gateways = storm.gateways.servers.reduce((sum, { work }) => sum + work, 0);
    expect([gateways, storm.auth.work, storm.broker.work].map((ms) => Math.round(ms))).toEqual([
      1_000, 300, 400,
    ]);
  });

  it('never come back where the gateways that are left may hold no more', () => {
    const { missing, refused } = killed(parametersOf(FLEET, { gateways: 2, connectionLimit: 1_500 })).run();
    expect(missing?.connections).toBe(500);
    expect(refused).toBeGreaterThan(500);
  });

  it('are told alike by the same seed, and otherwise by another', () => {
    const outcome = (seed: number) => killed(parametersOf(FLEET, { seed })).run();
    expect(outcome(1)).toEqual(outcome(1));
    expect(outcome(2).away).not.toEqual(outcome(1).away);
  });

  it('are simulated in groups where they are many, with the same result', () => {
    const rates = { gatewayCores: 400, authCores: 400, brokerCores: 400 };
    const large = killed(
      parametersOf(FLEET, BARE, rates, { gateways: 2, connections: 400_000, connectionLimit: 1e6 }),
    );
    const { away } = large.run();
    expect(large.clients.weight).toBe(8);
    expect(away.max).toBeCloseTo(1, 1);
  });
});

describe('a rolling deploy', () => {
  it('moves a connection more than once where the balancer doesn’t prefer the new ones', () => {
    const deploy = SCENARIOS.find(({ name }) => name === 'rolling-deploy');
    const moves = (leastConnections: number) =>
      (deploy?.run(parametersOf(FLEET, { leastConnections })).lost ?? 0) / 4_000;
    expect(moves(0)).toBeGreaterThan(1.3);
    expect(moves(1)).toBeLessThan(moves(0));
    expect(moves(1)).toBeGreaterThanOrEqual(1);
  });
});

describe('a gateway that stops', () => {
  it.each([
    { connections: 1_000, gatewayCores: 1, ms: 2_000 },
    { connections: 1_000, gatewayCores: 2, ms: 1_000 },
    { connections: 50_000, gatewayCores: 2, ms: 20_000 },
  ])('closes $connections connections of $gatewayCores processes in $ms ms', ({ ms, ...of }) => {
    expect(drainTimeMs(parametersOf(FLEET, of))).toBe(ms);
  });
});
