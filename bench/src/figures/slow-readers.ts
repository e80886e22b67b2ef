/** What a delivery costs in a room where as many again do not read what they are sent. */
import type { ServiceProcess, Stack } from '@natter/testkit';
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { BenchRoom, JOINED_MARK, roomPath, tokensOf } from '../load/bench-room.ts';
import { deliverOneByOne, type WatchedRoom } from '../load/deliver-one-by-one.ts';
import { gaugeOf } from '../load/process-metrics.ts';
import { textOf } from '../load/room-sides.ts';
import { startWatchers } from '../load/watchers.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { medianInterval } from '../measure/interval.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import { quiet } from '../measure/settled.ts';
import { startMeasuredStack } from '../stack.ts';

interface Plan {
  /** Who read, in each of two rooms; in one of them as many again do not. */
  readers: number;
  rounds: number;
  /** Rounds before that: until the code is optimised. */
  warmUp: number;
  /** Of one round, each said when all who read have the one before. */
  messages: number;
}

const PLANS: Record<Size, Plan> = {
  tiny: { readers: 4, rounds: 2, warmUp: 1, messages: 5 },
  quick: { readers: 100, rounds: 6, warmUp: 6, messages: 60 },
  full: { readers: 200, rounds: 15, warmUp: 10, messages: 100 },
};
const TEXT = textOf(128);
/** Of what fills the buffers of those who do not read: well below the hard limit between two looks at them. */
const FILL_TEXT = textOf(16 * 1024);
/** An answer has at most 200,000 characters. */
const FILLS_OF_A_RUN = 12;
/** The kernel takes at most 6 MB for each connection (tcp_wmem and tcp_rmem), a gateway 64 KiB before it sets one aside. */
const MOST_FILL_BYTES = 16 * 1024 * 1024;

interface Room extends WatchedRoom {
  name: 'alone' | 'beside';
  fillFrameBytes: number;
}

interface Round {
  name: Room['name'];
  /** CPU of the gateway for one delivery. */
  micros: number;
}

export const slowReaders: Figure = {
  name: 'slow-readers',
  title: 'A room in which half do not read',
  onlyByName: true,
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const stack = await startMeasuredStack(bench, 'gateway', { WEBSOCKET_HEARTBEAT_INTERVAL: '480' });
    const gateway = stack.gateways[0] as ServiceProcess;
    const [token = ''] = await tokensOf(stack, 1);
    const rooms = [
      await startRoom(bench, stack, 'alone', token, plan),
      await startRoom(bench, stack, 'beside', token, plan),
    ] as const;
    const slow = await startWatchers(bench, 'those who do not read');
    await slow({
      type: 'open',
      port: portOf(gateway),
      entrances: [entrance('beside', token)],
      count: plan.readers,
    });
    await slow({ type: 'stall' });
    const bytes = await fill(rooms[1], gateway, plan.readers);
    bench.say(`${plan.readers} set aside after ${(bytes / 1e6).toFixed(1)} MB each`);
    await quiet(gateway.pid);
    const cores = new CoreWatch();
    for (let warm = 0; warm < plan.warmUp; warm += 1)
      for (const room of rooms) await deliver(room, gateway, plan, null);
    const rounds: Round[] = [];
    for (let index = 0; index < plan.rounds; index += 1)
      for (const room of index % 2 === 0 ? rooms : rooms.toReversed())
        rounds.push(await deliver(room, gateway, plan, cores));
    const still = await gaugeOf(gateway, 'natter_gateway_set_aside');
    if (still !== plan.readers) throw new Error(`${still} of ${plan.readers} are still set aside`);
    const of = (name: Room['name']) =>
      rounds.filter((round) => round.name === name).map(({ micros }) => micros);
    const [alone, beside] = [of('alone'), of('beside')];
    return {
      measurements: [
        row('alone', `CPU of a delivery, ${plan.readers} who read`, 'µs', alone),
        row('beside', `the same, and ${plan.readers} who do not`, 'µs', beside),
        row(
          'ratio',
          'with ÷ without, per round',
          '×',
          beside.map((micros, round) => micros / (alone[round] as number)),
        ),
      ],
      cores: cores.use(),
      details: { plan, fillBytes: bytes, rounds },
    };
  },
};

async function startRoom(
  bench: Bench,
  stack: Stack,
  name: Room['name'],
  token: string,
  { readers }: Plan,
): Promise<Room> {
  const room = await BenchRoom.open(stack, token, name);
  bench.defer(() => room.close());
  const [frameBytes, fillFrameBytes] = [await bytesOf(room, TEXT), await bytesOf(room, FILL_TEXT)];
  const watchers = await startWatchers(bench, name);
  const port = portOf(stack.gateways[0] as ServiceProcess);
  await watchers({ type: 'open', port, entrances: [entrance(name, token)], count: readers });
  return { name, room, watchers, frameBytes, fillFrameBytes };
}

async function bytesOf(room: BenchRoom, text: string): Promise<number> {
  return Buffer.byteLength(await room.frameOf(text));
}

function entrance(room: Room['name'], token: string) {
  return { path: roomPath(token, room), readyMark: JOINED_MARK };
}

function portOf(gateway: ServiceProcess): number {
  return gateway.ports.http as number;
}

/** Says things until the gateway has set aside all who do not read; returns how many bytes of text that took. */
async function fill(
  { room, watchers, fillFrameBytes }: Room,
  gateway: ServiceProcess,
  count: number,
): Promise<number> {
  let bytes = 0;
  while (bytes < MOST_FILL_BYTES) {
    const run = room.run();
    await watchers({ type: 'count', bytes: fillFrameBytes, coalesced: false });
    await run.begin();
    for (let said = 1; said <= FILLS_OF_A_RUN; said += 1) {
      await run.say(FILL_TEXT);
      // Who reads must not fall behind as well.
      await watchers({ type: 'wait', deliveries: said * count });
      bytes += FILL_TEXT.length;
    }
    await run.end();
    if ((await gaugeOf(gateway, 'natter_gateway_set_aside')) === count) return bytes;
  }
  throw new Error(`after ${bytes} bytes not all who do not read were set aside`);
}

async function deliver(
  room: Room,
  gateway: ServiceProcess,
  { messages, readers }: Plan,
  cores: CoreWatch | null,
): Promise<Round> {
  const work = { text: TEXT, messages, watchers: readers, cpu: () => cpuSeconds(gateway.pid) };
  return { name: room.name, micros: await deliverOneByOne(room, work, cores) };
}

function row(id: string, label: string, unit: string, values: readonly number[]): Measurement {
  const { median, ...interval } = medianInterval(values);
  return { id: `slow-readers.${id}`, label, value: median, unit, interval };
}
