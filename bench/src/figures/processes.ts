/** What it costs that several gateway processes share a port, and what each of them costs. */
import { gatewayProcesses, type ServiceProcess, type Stack } from '@natter/testkit';
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { BenchRoom, JOINED_MARK, roomPath, tokensOf } from '../load/bench-room.ts';
import { openChat } from '../load/chat-socket.ts';
import { deliverOneByOne, type WatchedRoom } from '../load/deliver-one-by-one.ts';
import { inFlight } from '../load/in-flight.ts';
import { connectionsOf, killOne } from '../load/process-metrics.ts';
import { textOf } from '../load/room-sides.ts';
import { startWatchers } from '../load/watchers.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { CORE } from '../measure/cores.ts';
import { medianInterval } from '../measure/interval.ts';
import { cpuSeconds, memory } from '../measure/process-meter.ts';
import { quiet } from '../measure/settled.ts';
import { startMeasuredStack } from '../stack.ts';

interface Plan {
  rounds: number;
  /** For each process, as are warmUp and watchers: each has the same work, so it can gather as much into one turn. */
  connects: number;
  /** Before the measured ones: the way in is optimised then. */
  warmUp: number;
  watchers: number;
  messages: number;
  kills: number;
}

const PLANS: Record<Size, Plan> = {
  tiny: { rounds: 1, connects: 20, warmUp: 10, watchers: 20, messages: 3, kills: 1 },
  // As many watchers as in full: a message has a cost before its first delivery.
  quick: { rounds: 6, connects: 150, warmUp: 1_200, watchers: 400, messages: 10, kills: 0 },
  full: { rounds: 15, connects: 600, warmUp: 4_000, watchers: 400, messages: 60, kills: 10 },
};
/** At once, for each process. */
const OPENING = 32;
const TEXT = textOf(128);

/** A gateway of one process, and one of two. */
const COUNTS = [1, 2] as const;

export const processes: Figure = {
  name: 'processes',
  title: 'Several gateway processes on one port',
  onlyByName: true,
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const cores = new CoreWatch();
    const gateways = COUNTS.map((count) => ({ GATEWAY_PROCESSES: String(count) }));
    const stack = await startMeasuredStack(
      bench,
      'gateway',
      { WEBSOCKET_HEARTBEAT_INTERVAL: '480' },
      gateways,
    );
    const [token = ''] = await tokensOf(stack, 1);
    const sides = await Promise.all(COUNTS.map((_, index) => startSide(bench, stack, index, token)));
    const idle = memories(sides[1] as Side);

    for (const side of sides) await connectRound(side, token, plan.warmUp);
    const connects: Round[] = [];
    for (let round = 0; round < plan.rounds; round += 1)
      for (const side of inTurn(sides, round))
        connects.push(await connectRound(side, token, plan.connects, cores));
    const deliveries: Round[] = [];
    for (const side of sides) await openWatchers(side, token, plan.watchers);
    for (let warm = 0; warm < 2; warm += 1)
      for (const side of inTurn(sides, warm)) await deliveryRound(side, plan);
    for (let round = 0; round < plan.rounds; round += 1)
      for (const side of inTurn(sides, round)) deliveries.push(await deliveryRound(side, plan, cores));
    const restarts: number[] = [];
    for (let kill = 0; kill < plan.kills; kill += 1)
      restarts.push(await killOne(stack.gateways[1] as ServiceProcess));
    return {
      measurements: [
        ...perPiece('connect', 'CPU per connect with a token', connects),
        ...perPiece('delivery', `CPU per delivery, ${plan.watchers} watchers on each process`, deliveries),
        row('spread', 'connections of the fuller of two processes, of all', '%', fullerShare(connects)),
        row('another', 'PSS of one more process, before anybody came', 'MB', idle.children),
        row('parent', 'PSS of their parent', 'MB', [idle.parent]),
        ...(restarts.length === 0
          ? []
          : [row('restart', 'from SIGKILL of one until it is ready again', 's', restarts)]),
      ],
      cores: cores.use(),
      details: { plan, connects, deliveries, idle, restarts },
    };
  },
};

interface Side extends WatchedRoom {
  count: number;
  port: number;
  gateway: ServiceProcess;
  /** Of the processes that serve. */
  pids(): number[];
  /** CPU seconds of all its processes, the parent of several too. */
  cpu(): number;
  roomId: string;
}

interface Round {
  count: number;
  /** CPU of one connect or one delivery. */
  micros: number;
  /** Pieces each process has done; only of connects. */
  spread: number[];
}

async function startSide(bench: Bench, stack: Stack, index: number, token: string): Promise<Side> {
  const gateway = stack.gateways[index] as ServiceProcess;
  const count = COUNTS[index] as number;
  const pids = () => (count === 1 ? [gateway.pid] : gatewayProcesses(gateway).map(({ pid }) => pid));
  // One core for all of them: what is compared is CPU, and the load needs the other.
  for (const pid of pids()) bench.cores.pin(pid, CORE.underTest);
  const roomId = `of-${count}`;
  const room = await BenchRoom.open(stack, token, roomId);
  bench.defer(() => room.close());
  return {
    count,
    port: gateway.ports.http as number,
    gateway,
    pids,
    cpu: () => [...new Set([gateway.pid, ...pids()])].reduce((sum, pid) => sum + cpuSeconds(pid), 0),
    roomId,
    room,
    frameBytes: Buffer.byteLength(await room.frameOf(TEXT)),
    watchers: await startWatchers(bench, roomId),
  };
}

function inTurn(sides: readonly Side[], round: number): readonly Side[] {
  return round % 2 === 0 ? sides : sides.toReversed();
}

async function connectRound(side: Side, token: string, each: number, cores?: CoreWatch): Promise<Round> {
  const [connects, atOnce] = [each * side.count, OPENING * side.count];
  const sockets: { drop(): void }[] = [];
  const stop = cores?.start();
  const cpu = side.cpu();
  await inFlight(connects, atOnce, async () => void sockets.push(await openChat({ port: side.port, token })));
  const micros = ((side.cpu() - cpu) * 1e6) / connects;
  stop?.();
  const spread = await connectionsOf(side.gateway);
  for (const socket of sockets) socket.drop();
  for (const pid of side.pids()) await quiet(pid);
  return { count: side.count, micros, spread };
}

async function openWatchers(side: Side, token: string, each: number): Promise<void> {
  const entrances = [{ path: roomPath(token, side.roomId), readyMark: JOINED_MARK }];
  await side.watchers({ type: 'open', port: side.port, entrances, count: each * side.count });
  for (const pid of side.pids()) await quiet(pid);
}

async function deliveryRound(side: Side, plan: Plan, cores?: CoreWatch): Promise<Round> {
  const { messages } = plan;
  const work = { text: TEXT, messages, watchers: plan.watchers * side.count, cpu: side.cpu };
  const micros = await deliverOneByOne(side, work, cores ?? null);
  return { count: side.count, micros, spread: [] };
}

function memories(side: Side): { parent: number; children: number[] } {
  const mb = (pid: number) => memory(pid).pss / 1e6;
  return { parent: mb(side.gateway.pid), children: side.pids().map(mb) };
}

/** In percent, of each round on two processes. */
function fullerShare(rounds: readonly Round[]): number[] {
  return rounds
    .filter(({ count }) => count > 1)
    .map(({ spread }) => (100 * Math.max(...spread)) / spread.reduce((sum, one) => sum + one, 0));
}

function perPiece(id: string, label: string, rounds: readonly Round[]): Measurement[] {
  const of = (wanted: number) => rounds.filter(({ count }) => count === wanted).map(({ micros }) => micros);
  const [one, two] = [of(1), of(2)];
  const ratios = one.map((micros, round) => (two[round] as number) / micros);
  return [
    row(`${id}-1`, `${label}, one process`, 'µs', one),
    row(`${id}-2`, 'the same, two processes', 'µs', two),
    { ...row(`${id}-ratio`, 'two processes against one', '×', ratios), better: 'lower' },
  ];
}

function row(id: string, label: string, unit: string, values: readonly number[]): Measurement {
  const { median, ...interval } = medianInterval(values);
  return { id: `processes.${id}`, label, value: median, unit, ...(values.length > 1 ? { interval } : {}) };
}
