/** The fleet of a plan, as a simulation starts from it. */
import type { Assumptions } from '../capacity/assumptions.ts';
import type { Plan, Tier } from '../capacity/plan.ts';
import type { UnitCosts } from '../capacity/unit-costs.ts';
import { workOf } from '../capacity/work.ts';
import type { Parameters } from './parameters.ts';

/** Reads of one conversation when the broker is back: what was said, runs under way, its room. */
const CATCH_UP_READS = 3;
/** Messages by which auth is asked: a request and its answer, each to the broker and on. */
const ASKING = 4;

export function fleetOf(plan: Plan, costs: UnitCosts, given: Assumptions): Partial<Parameters> {
  const { gateways, auth, brokers, demand } = plan;
  const { connect, resume } = workOf(costs);
  const busy = ({ busy, pods, cores }: Tier) => Math.min(0.9, busy / (pods * cores));
  return {
    gateways: gateways.pods,
    connections: Math.round(demand.sockets / gateways.pods),
    gatewayCores: gateways.cores,
    authCores: auth.pods * auth.cores,
    brokerCores: brokers.pods * brokers.cores,
    gatewayBackground: busy(gateways),
    authBackground: busy(auth),
    brokerBackground: busy(brokers),
    zones: given.zones,
    connectMicros: connect.gateway,
    resumeMicros: resume.gateway,
    authMicros: connect.auth + resume.auth,
    brokerMicros: (resume.broker + ASKING * costs.relayMicros) * given.routeCost,
    catchUpMicros: CATCH_UP_READS * costs.readMicros * given.routeCost,
    // Nearly every connection of a room is on another gateway.
    watched: Math.round(
      (demand.sockets * (given.inRooms + (1 - given.inRooms) / given.devices)) / gateways.pods,
    ),
    // A tenth of the gateways at once.
    surge: Math.max(1, Math.ceil(gateways.pods / 10)),
  };
}
