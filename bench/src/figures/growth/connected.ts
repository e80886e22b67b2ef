/** What one more connection costs when many are there already: CPU and memory. */
import type { Stack } from '@natter/testkit';
import type { Bench } from '../../bench.ts';
import { inFlight } from '../../load/in-flight.ts';
import type { CoreWatch } from '../../measure/core-watch.ts';
import type { Inspector } from '../../measure/inspector.ts';
import { cpuSeconds } from '../../measure/process-meter.ts';
import { quiet } from '../../measure/settled.ts';

/** A way in: with a token alone, or into a room as well. */
export interface WayIn {
  /** Of the bulk that is there; each is somebody of their own. */
  bulk(index: number): Promise<{ drop(): void }>;
  /** Of the ones that are measured. */
  measured(index: number): Promise<{ drop(): void }>;
}

export interface ConnectedPlan {
  /** Connections that are there, ascending. */
  loads: readonly number[];
  /** Measured ones in a round. */
  perRound: number;
  /** Rounds at each load on the way up, and as many on the way down. */
  rounds: number;
  /** Connections before all, until the code is optimised. */
  warmUp: number;
}

export interface ConnectedPoint {
  load: number;
  /** CPU microseconds for each connection, by round. */
  gateway: number[];
  auth: number[];
  broker: number[];
  /** Bytes of JavaScript objects for each connection that came since the load before. */
  heap: number;
}

const OPENING = 32;

/** Up and down again, so that what drifts meets all loads alike. */
export async function measureConnected(
  bench: Bench,
  stack: Stack,
  inspector: Inspector,
  way: WayIn,
  { loads, perRound, rounds, warmUp }: ConnectedPlan,
  cores: CoreWatch,
): Promise<ConnectedPoint[]> {
  const gateway = stack.gateways[0];
  if (gateway === undefined) throw new Error('the stack has no gateway');
  let measured = 0;
  const round = (count: number) => connectRound(stack, count, (index) => way.measured(measured + index));
  const next = async (count: number) => {
    const result = await round(count);
    measured += count;
    return result;
  };
  for (let done = 0; done < warmUp; done += perRound) await next(perRound);
  const there: { drop(): void }[] = [];
  const points: ConnectedPoint[] = [];
  const measure = async (point: ConnectedPoint) => {
    const stop = cores.start();
    for (let index = 0; index < rounds; index += 1) {
      const costs = await next(perRound);
      for (const part of ['gateway', 'auth', 'broker'] as const) point[part].push(costs[part]);
    }
    stop();
  };
  let before = await inspector.collectGarbage();
  for (const load of loads) {
    const from = there.length;
    await inFlight(load - from, OPENING, async (index) => void there.push(await way.bulk(from + index)));
    const heap = ((await inspector.collectGarbage()) - before) / (load - from);
    const point = { load, gateway: [], auth: [], broker: [], heap };
    points.push(point);
    await measure(point);
    // What the measured ones have left behind belongs to nobody.
    before = await inspector.collectGarbage();
    bench.say(`${load} there: ${Math.round(point.heap)} B of objects each`);
  }
  for (const point of points.toReversed()) {
    for (const socket of there.splice(point.load)) socket.drop();
    await quiet(gateway.pid);
    await measure(point);
  }
  for (const socket of there) socket.drop();
  await quiet(gateway.pid);
  return points;
}

/** Microseconds of each part for each connection. */
async function connectRound(
  stack: Stack,
  count: number,
  open: (index: number) => Promise<{ drop(): void }>,
): Promise<Record<'gateway' | 'auth' | 'broker', number>> {
  const pids = {
    gateway: stack.gateways[0]?.pid as number,
    auth: stack.auth.pid,
    broker: stack.nats.pid,
  };
  const before = {
    gateway: cpuSeconds(pids.gateway),
    auth: cpuSeconds(pids.auth),
    broker: cpuSeconds(pids.broker),
  };
  const sockets: { drop(): void }[] = [];
  await inFlight(count, OPENING, async (index) => void sockets.push(await open(index)));
  const micros = (part: keyof typeof pids) => ((cpuSeconds(pids[part]) - before[part]) * 1e6) / count;
  const costs = { gateway: micros('gateway'), auth: micros('auth'), broker: micros('broker') };
  for (const socket of sockets) socket.drop();
  await quiet(pids.gateway);
  return costs;
}
