/** What a delivery costs with more watchers in a room, and with more rooms that are spoken in at once. */
import type { Stack } from '@natter/testkit';
import type { Bench } from '../../bench.ts';
import { BenchRoom, JOINED_MARK, roomPath, tokensOf } from '../../load/bench-room.ts';
import { textOf } from '../../load/room-sides.ts';
import { startWatchers, type Watchers } from '../../load/watchers.ts';
import type { CoreWatch } from '../../measure/core-watch.ts';
import { CORE } from '../../measure/cores.ts';
import { cpuSeconds } from '../../measure/process-meter.ts';
import type { CurvePoint } from './curve.ts';

export interface DeliveriesPlan {
  /** Watchers of one room. */
  watchers: readonly number[];
  /** Rooms spoken in at once, with as many watchers each as the smallest of the above. */
  rooms: readonly number[];
  /** Deliveries of a round, about. */
  perRound: number;
  rounds: number;
  warmUp: number;
}

export interface Deliveries {
  /** CPU microseconds of the gateway for each delivery. */
  byWatchers: CurvePoint[];
  byRooms: CurvePoint[];
}

/** The sockets belong to these in turn: room-sides.ts says why. */
const PEOPLE = 4;
const TEXT = textOf(128);

interface Config {
  load: number;
  rooms: readonly BenchRoom[];
  deliveries: number;
  watchers: Watchers;
  costs: number[];
}

export async function measureDeliveries(
  bench: Bench,
  stack: Stack,
  plan: DeliveriesPlan,
  cores: CoreWatch,
): Promise<Deliveries> {
  const gateway = stack.gateways[0]?.pid as number;
  const tokens = await tokensOf(stack, PEOPLE);
  // A process has 20,000 files, so the rooms of one curve have a process of their own.
  const sides = [
    await startWatchers(bench, 'large rooms'),
    await startWatchers(bench, 'many rooms'),
  ] as const;
  const base = plan.watchers[0] as number;
  const helpers = [stack.auth.pid, stack.nats.pid];
  for (const pid of helpers) bench.cores.pin(pid, 'any');
  let bytes = 0;
  const fill = async (side: Watchers, id: string, count: number) => {
    const room = await BenchRoom.open(stack, tokens[0] as string, id);
    bench.defer(() => room.close());
    // Before anybody watches: a watcher that is behind would count these frames among the measured ones.
    if (bytes === 0) bytes = Buffer.byteLength(await room.frameOf(TEXT));
    const entrances = tokens.map((token) => ({ path: roomPath(token, id), readyMark: JOINED_MARK }));
    await side({ type: 'open', port: stack.gateways[0]?.ports.http as number, entrances, count });
    return room;
  };
  bench.say('watchers join');
  const byWatchers: Config[] = [];
  for (const [index, load] of plan.watchers.entries()) {
    // Ids of one length: frames are counted by theirs.
    const room = await fill(sides[0], `growth-a${letters(index)}`, load);
    byWatchers.push({ load, rooms: [room], deliveries: load, watchers: sides[0], costs: [] });
  }
  const many: BenchRoom[] = [];
  for (let index = 0; index < (plan.rooms.at(-1) as number); index += 1)
    many.push(await fill(sides[1], `growth-b${letters(index)}`, base));
  for (const pid of helpers) bench.cores.pin(pid, CORE.load);
  const byRooms = plan.rooms.map((load) => {
    return {
      load,
      rooms: many.slice(0, load),
      deliveries: load * base,
      watchers: sides[1],
      costs: [] as number[],
    };
  });
  const configs = [...byWatchers, ...byRooms];
  for (let round = -plan.warmUp; round < plan.rounds; round += 1) {
    // There and back, so that what drifts meets all alike.
    for (const config of round % 2 === 0 ? configs : configs.toReversed()) {
      const messages = Math.max(2, Math.round(plan.perRound / config.deliveries));
      const cost = await say(config, gateway, bytes, messages, round < 0 ? null : cores);
      if (round >= 0) config.costs.push(cost);
    }
  }
  return { byWatchers, byRooms };
}

/** One message at a time to each of the rooms; returns the CPU microseconds of a delivery. */
async function say(
  { rooms, deliveries, watchers }: Config,
  gateway: number,
  bytes: number,
  messages: number,
  cores: CoreWatch | null,
): Promise<number> {
  await watchers({ type: 'count', bytes, coalesced: false });
  const runs = rooms.map((room) => room.run());
  await Promise.all(runs.map((run) => run.begin()));
  await Promise.all(runs.map((run) => run.say(TEXT)));
  await watchers({ type: 'wait', deliveries });
  const stop = cores?.start();
  const before = cpuSeconds(gateway);
  for (let said = 1; said <= messages; said += 1) {
    await Promise.all(runs.map((run) => run.say(TEXT)));
    await watchers({ type: 'wait', deliveries: (said + 1) * deliveries });
  }
  const used = cpuSeconds(gateway) - before;
  stop?.();
  await Promise.all(runs.map((run) => run.end()));
  return (used * 1e6) / (messages * deliveries);
}

/** aa, ab, … */
function letters(index: number): string {
  const letter = (value: number) => String.fromCharCode(97 + value);
  return letter(Math.floor(index / 26)) + letter(index % 26);
}
