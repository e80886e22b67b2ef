/** What a connection, a delivery and a token cost as there are more of them: curves, not points. */
import type { Stack } from '@natter/testkit';
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { roomPath, tokensOf } from '../load/bench-room.ts';
import { openChat } from '../load/chat-socket.ts';
import { openRoom } from '../load/room-socket.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { CORE } from '../measure/cores.ts';
import { INSPECTOR_OPTIONS, Inspector } from '../measure/inspector.ts';
import { startMeasuredStack } from '../stack.ts';
import { startTokenServer } from '../token-server.ts';
import { type ConnectedPlan, type ConnectedPoint, measureConnected, type WayIn } from './growth/connected.ts';
import { type Curve, curveRows } from './growth/curve.ts';
import { type DeliveriesPlan, measureDeliveries } from './growth/deliveries.ts';
import { measureTokens, PARTS, type TokensPlan } from './growth/tokens.ts';

interface Plan {
  connected: ConnectedPlan;
  /** Each connection that is there is in a room of its own. */
  rooms: ConnectedPlan;
  deliveries: DeliveriesPlan;
  tokens: TokensPlan;
}

const PACE = { tokensPerSecond: 25, tokens: 100 };
/** `quick` goes to four times the smallest load; what 16 times costs is in the record. */
const PLANS: Record<Size, Plan> = {
  tiny: {
    connected: { loads: [10, 20, 40], perRound: 10, rounds: 1, warmUp: 10 },
    rooms: { loads: [10, 20, 40], perRound: 10, rounds: 1, warmUp: 10 },
    deliveries: { watchers: [5, 10, 20], rooms: [1, 2, 4], perRound: 20, rounds: 2, warmUp: 1 },
    tokens: { ...PACE, tokens: 25, runs: [2, 4, 8], warmUpMs: 500, settleMs: 300, slices: 2, sliceMs: 400 },
  },
  quick: {
    connected: { loads: [200, 800], perRound: 200, rounds: 2, warmUp: 1_600 },
    rooms: { loads: [50, 200], perRound: 40, rounds: 1, warmUp: 120 },
    deliveries: { watchers: [25, 100], rooms: [1, 4], perRound: 800, rounds: 6, warmUp: 2 },
    tokens: { ...PACE, runs: [20, 80], warmUpMs: 1_500, settleMs: 400, slices: 6, sliceMs: 250 },
  },
  full: {
    connected: { loads: [1_000, 4_000, 16_000], perRound: 1_000, rounds: 4, warmUp: 8_000 },
    rooms: { loads: [500, 2_000, 8_000], perRound: 300, rounds: 4, warmUp: 2_000 },
    deliveries: { watchers: [100, 400, 1_600], rooms: [1, 4, 16], perRound: 6_400, rounds: 15, warmUp: 5 },
    tokens: { ...PACE, runs: [10, 40, 160], warmUpMs: 4_000, settleMs: 4_000, slices: 15, sliceMs: 1_000 },
  },
};

export const growth: Figure = {
  name: 'growth',
  title: 'Cost as work grows',
  onlyByName: true,
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const cores = new CoreWatch();
    const model = await startTokenServer(bench);
    const stack = await startMeasuredStack(bench, 'gateway', {
      ...model.env,
      NODE_OPTIONS: INSPECTOR_OPTIONS,
      WEBSOCKET_HEARTBEAT_INTERVAL: '480',
    });
    const gateway = stack.gateways[0];
    if (gateway === undefined) throw new Error('the stack has no gateway');
    const port = gateway.ports.http as number;
    const inspector = await Inspector.attach(gateway);
    bench.defer(() => inspector.close());
    const connected = await measureConnected(
      bench,
      stack,
      inspector,
      await chats(stack, port, plan.connected),
      plan.connected,
      cores,
    );
    const rooms = await inRooms(bench, stack, inspector, port, plan.rooms, cores);
    const deliveries = await measureDeliveries(bench, stack, plan.deliveries, cores);
    // The agent is under test as well, and the other core has model, broker and load.
    bench.cores.pin(stack.agents[0]?.pid as number, CORE.underTest);
    const tokens = await measureTokens(bench, stack, model, plan.tokens, cores);
    const watchers = plan.deliveries.watchers[0];
    const curves: Curve[] = [
      {
        id: 'connect',
        label: 'gateway CPU for a connection',
        unit: 'µs',
        of: 'there already',
        points: costs(connected, 'gateway'),
      },
      {
        id: 'connect-auth',
        label: 'auth CPU for it',
        unit: 'µs',
        of: 'there already',
        points: costs(connected, 'auth'),
      },
      {
        id: 'join',
        label: 'gateway CPU to connect and join a room',
        unit: 'µs',
        of: 'rooms there',
        points: costs(rooms, 'gateway'),
      },
      {
        id: 'join-auth',
        label: 'auth CPU for it',
        unit: 'µs',
        of: 'rooms there',
        points: costs(rooms, 'auth'),
      },
      {
        id: 'join-broker',
        label: 'broker CPU for it',
        unit: 'µs',
        of: 'rooms there',
        points: costs(rooms, 'broker'),
      },
      {
        id: 'delivery',
        label: 'gateway CPU for a delivery',
        unit: 'µs',
        of: 'watchers of one room',
        points: deliveries.byWatchers,
      },
      {
        id: 'delivery-rooms',
        label: `the same, ${watchers} watchers each`,
        unit: 'µs',
        of: 'rooms at once',
        points: deliveries.byRooms,
      },
      ...PARTS.map((part) => ({
        id: `token-${part}`,
        label: `${part} CPU for a token`,
        unit: 'µs',
        of: 'answers at once',
        points: tokens[part],
      })),
    ];
    return {
      measurements: [
        ...curves.flatMap(curveRows),
        ...memoryRows('connection', 'objects of a connection', 'connections', connected),
        ...memoryRows('room', 'objects of a connection with a room of its own', 'rooms', rooms),
      ],
      cores: cores.use(),
      details: { plan, curves, connected, rooms },
    };
  },
};

async function chats(stack: Stack, port: number, { loads, perRound }: ConnectedPlan): Promise<WayIn> {
  const tokens = await tokensOf(stack, (loads.at(-1) as number) + perRound);
  const open = (index: number) => openChat({ port, token: tokens[index] as string });
  // The measured ones are others than those that are there.
  return { bulk: open, measured: (index) => open((loads.at(-1) as number) + (index % perRound)) };
}

async function inRooms(
  bench: Bench,
  stack: Stack,
  inspector: Inspector,
  port: number,
  plan: ConnectedPlan,
  cores: CoreWatch,
) {
  // Everybody has one room: who has many is told what waits in each, which costs them more.
  const tokens = await tokensOf(stack, plan.loads.at(-1) as number);
  const open = (index: number) =>
    openRoom({ port, path: roomPath(tokens[index] as string, `growth-${index}`) });
  // The measured ones come into rooms that are there, as another device of who is in them.
  const way: WayIn = { bulk: open, measured: (index) => open(index % (plan.loads[0] as number)) };
  // Making a room is work for auth and broker: with both cores it is done in half the time.
  const helpers = [stack.auth.pid, stack.nats.pid];
  for (const pid of helpers) bench.cores.pin(pid, 'any');
  const points = await measureConnected(bench, stack, inspector, way, plan, cores);
  for (const pid of helpers) bench.cores.pin(pid, CORE.load);
  return points;
}

function costs(points: readonly ConnectedPoint[], part: 'gateway' | 'auth' | 'broker') {
  return points.map((point) => ({ load: point.load, costs: point[part] }));
}

/** Bytes of those that came since the load before, and whether that stays the same. */
function memoryRows(id: string, label: string, of: string, points: readonly ConnectedPoint[]): Measurement[] {
  const rows = curveRows({
    id,
    label,
    unit: 'B',
    of,
    points: points.map(({ load, heap }) => ({ load, costs: [heap] })),
  });
  const total = points.reduce(
    (sum, { heap, load }, index) => sum + heap * (load - (points[index - 1]?.load ?? 0)),
    0,
  );
  const [last, all] = [points.at(-1), points.at(-1)?.load as number];
  return [
    ...rows,
    {
      id: `growth.${id}-flat`,
      label: 'the last of them ÷ all',
      value: ((last?.heap ?? 0) * all) / total,
      unit: '×',
    },
  ];
}
