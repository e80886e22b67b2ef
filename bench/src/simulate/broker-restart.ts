/**
 * What happens when the broker was away: nobody loses a connection, but every gateway looks after
 * every conversation that it watches, a few at once (`REPAIRS_AT_ONCE` in conversation-hub.ts).
 *
 * While one is looked after its messages wait; the answer is how long the last one waits.
 */
import { percentile } from '../measure/samples.ts';
import { EventQueue } from './event-queue.ts';
import type { Parameters } from './parameters.ts';
import { Server } from './server.ts';

export interface CaughtUp {
  /** Looked after, by all gateways together. */
  conversations: number;
  /** Seconds since the broker went away: half of them are up to date, and so on. */
  upToDate: { p50: number; p99: number; max: number };
  /** Share of the busiest second, other work included. */
  peaks: { gateway: number; broker: number };
}

/** Pieces of work that are simulated one by one. */
const MOST_JOBS = 400_000;
const EVENT = { atBroker: 0, done: 1 } as const;

/** All gateways are alike and begin at once, with random noise of their reconnects left out. */
export function restartBroker(parameters: Parameters): CaughtUp {
  const {
    gateways,
    gatewayCores,
    brokerCores,
    coreSpeed,
    brokerDownMs,
    gatewayBackground,
    brokerBackground,
  } = parameters;
  const { watched, repairsAtOnce, catchUpMicros, resumeMicros, busRoundTripMs } = parameters;
  const total = gateways * watched;
  const weight = Math.max(1, Math.ceil(total / MOST_JOBS));
  const each = Math.ceil(watched / weight);
  const lanes = Math.max(1, Math.round(repairsAtOnce / weight));
  // Where less than one lane is left for a group, the wait for the network shrinks instead.
  const roundTripMs = (busRoundTripMs * weight * lanes) / repairsAtOnce;
  const broker = new Server(brokerCores * coreSpeed * (1 - brokerBackground));
  const servers = Array.from(
    { length: gateways },
    () => new Server(gatewayCores * coreSpeed * (1 - gatewayBackground)),
  );
  const left = new Int32Array(gateways).fill(each);
  const queue = new EventQueue();
  const ends: number[] = [];
  const begin = (gateway: number, atMs: number) => {
    if (left[gateway] === 0) return;
    left[gateway] = (left[gateway] as number) - 1;
    queue.add(atMs + roundTripMs, EVENT.atBroker, gateway);
  };
  for (let gateway = 0; gateway < gateways; gateway += 1)
    for (let lane = 0; lane < lanes; lane += 1) begin(gateway, brokerDownMs);
  const handle = (kind: number, gateway: number) => {
    if (kind === EVENT.atBroker) {
      const read = broker.serve(queue.now, (catchUpMicros * weight) / 1_000);
      queue.add(read, EVENT.done, gateway);
      return;
    }
    const end = (servers[gateway] as Server).serve(queue.now, (resumeMicros * weight) / 1_000);
    ends.push(end);
    begin(gateway, end);
  };
  while (queue.take(handle));
  const sorted = Float64Array.from(ends).sort();
  const p = (percent: number) => (sorted.length === 0 ? 0 : percentile(sorted, percent) / 1_000);
  const peak = (shares: readonly number[], background: number) =>
    background + (1 - background) * Math.max(0, ...shares);
  return {
    conversations: ends.length * weight,
    upToDate: { p50: p(50), p99: p(99), max: p(100) },
    peaks: {
      gateway: Math.max(...servers.map((server) => peak(server.busyShares(), gatewayBackground))),
      broker: peak(broker.busyShares(), brokerBackground),
    },
  };
}
