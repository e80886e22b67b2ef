import { describe, expect, it } from 'vitest';
import { assumptions } from '../../src/capacity/assumptions.ts';
import { demandOf } from '../../src/capacity/demand.ts';
import { limitsOf } from '../../src/capacity/limits.ts';
import { planFor } from '../../src/capacity/plan.ts';
import type { UnitCosts } from '../../src/capacity/unit-costs.ts';
import { workOf } from '../../src/capacity/work.ts';

const COSTS: UnitCosts = {
  connectionBytes: 5_000,
  connectionObjects: 2_000,
  roomObjects: 12_000,
  gatewayBytes: 100,
  idleMicros: 1,
  connects: 5_000,
  authDistinct: 350,
  authReused: 50,
  joinGateway: 1_200,
  joinAuth: 300,
  joinBroker: 500,
  fewDeliveries: 40_000,
  manyDeliveries: 100_000,
  tokenGateway: 50,
  tokenAgent: 100,
  runKib: 50,
  tokenBroker: 50,
  resumeGateway: 1_000,
  resumeAuth: 150,
  resumeBroker: 500,
  uploads: 50,
  relayMicros: 2,
  eventMicros: 15,
  eventRate: 25_000,
  appendMicros: 90,
  appendRate: 2_000,
  appendStreamsRate: 4_000,
  readMicros: 15,
  subscriptionBytes: 800,
};
const GIVEN = assumptions();

describe('a plan', () => {
  it('grows with the connections, once redundancy no longer decides', () => {
    const [some, more] = [planFor(1e7, COSTS, GIVEN), planFor(1e8, COSTS, GIVEN)];
    for (const tier of ['gateways', 'agents', 'auth', 'brokers'] as const)
      expect([tier, Math.round(more[tier].pods / some[tier].pods)]).toEqual([tier, 10]);
    // Every broker knows of every conversation that is watched: their memory grows with the square.
    expect(more.cost.total / some.cost.total).toBeGreaterThan(9.5);
    expect(more.cost.total / some.cost.total).toBeLessThan(12);
  });

  it('has a pod in every zone, however few people there are', () => {
    const { gateways, agents, auth, uploads, brokers } = planFor(10, COSTS, GIVEN);
    expect([gateways, agents, auth, uploads, brokers].map(({ pods }) => pods)).toEqual([3, 3, 3, 3, 3]);
  });

  it.each([1e5, 1e6, 1e7])('for %d leaves enough of each tier when a zone is lost', (sockets) => {
    const { gateways, agents, auth, brokers } = planFor(sockets, COSTS, GIVEN);
    for (const { pods, cores, busy } of [gateways, agents, auth, brokers]) {
      expect((pods * cores * 2) / 3).toBeGreaterThan(busy);
    }
    expect((gateways.pods * 2) / 3).toBeGreaterThanOrEqual(
      sockets / (GIVEN.socketsPerCore * GIVEN.podCores) - 1e-6,
    );
    const { connect, resume } = workOf(COSTS);
    const storm = (sockets / 3) * (connect.auth + resume.auth);
    expect(((auth.pods * 2) / 3) * GIVEN.stormSeconds * 1e6).toBeGreaterThan(storm);
  });

  it('splits a stream when its rate would be more than the part that may be used', () => {
    const { demand, partitions } = planFor(1e6, COSTS, GIVEN);
    const most = (COSTS.eventRate * GIVEN.streamUtilisation) / GIVEN.replicaSlowdown;
    expect(partitions.EVENTS * most).toBeGreaterThanOrEqual(demand.batches);
    expect((partitions.EVENTS - 1) * most).toBeLessThan(demand.batches);
  });
});

describe('what one thing costs', () => {
  it('parts a message to a room into what it costs once and for each who watches', () => {
    const { once, each } = workOf(COSTS).message;
    expect(once + 10 * each).toBeCloseTo((10 * 1e6) / COSTS.fewDeliveries, 6);
    expect(once + 1_000 * each).toBeCloseTo((1_000 * 1e6) / COSTS.manyDeliveries, 6);
  });
});

describe('the bounds of today', () => {
  it('come soonest first, and are reached by just so many connections', () => {
    const limits = limitsOf(COSTS, GIVEN);
    expect(limits.map(({ sockets }) => sockets)).toEqual(
      limits.map(({ sockets }) => sockets).toSorted((a, b) => a - b),
    );
    const events = limits.find(({ what }) => what === 'EVENTS is one stream');
    expect(demandOf(events?.sockets as number, GIVEN).batches).toBeCloseTo(
      (COSTS.eventRate * GIVEN.streamUtilisation) / GIVEN.replicaSlowdown,
      3,
    );
  });
});
