/** What it costs to tell everybody in a room something, against raw uWebSockets.js. */
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { BenchRoom, JOINED_MARK, roomPath, tokensOf } from '../load/bench-room.ts';
import { startWatchers, type Watchers } from '../load/watchers.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { medianInterval } from '../measure/interval.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import { startRawRoom } from '../peers/raw-room.ts';
import { startMeasuredStack } from '../stack.ts';

interface Plan {
  /** Watchers, and messages of one round; an answer has at most 200,000 characters. */
  steps: { watchers: number; messages: number }[];
  rounds: number;
  /** Rounds before the first step: until the code is optimised. */
  warmUp: number;
}

const QUICK_STEPS = [
  { watchers: 10, messages: 150 },
  { watchers: 100, messages: 100 },
  { watchers: 1_000, messages: 16 },
  { watchers: 10_000, messages: 4 },
];
const PLANS: Record<Size, Plan> = {
  tiny: {
    steps: [
      { watchers: 10, messages: 10 },
      { watchers: 50, messages: 5 },
    ],
    rounds: 2,
    warmUp: 1,
  },
  quick: { steps: QUICK_STEPS, rounds: 7, warmUp: 8 },
  full: {
    steps: QUICK_STEPS.map(({ watchers, messages }) => ({
      watchers,
      messages: messages + 4,
    })),
    rounds: 25,
    warmUp: 20,
  },
};
const TEXT_BYTES = [128, 1_024] as const;
/**
 * The sockets belong to these in turn. More people would fill the room with news of who came,
 * which is another figure; a delivery costs the same.
 */
const PEOPLE = 50;

/** Something that takes messages and gives each to all watchers. */
interface Side {
  pid: number;
  watchers: Watchers;
  /** Says one before the measured ones; returns what says the next. */
  begin(text: string, frame: string): Promise<() => Promise<void> | void>;
  end(): Promise<void>;
}

interface Round {
  watchers: number;
  textBytes: number;
  /** Deliveries for each core second. */
  natter: number;
  raw: number;
}

export const fanout: Figure = {
  name: 'fanout',
  title: 'Room fan-out',
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const { natter, raw, frames, open } = await prepare(bench);
    const cores = new CoreWatch();
    const rounds: Round[] = [];
    for (const [index, step] of plan.steps.entries()) {
      await open(step.watchers);
      bench.say(`${step.watchers} watchers`);
      for (const [textBytes, { text, frame }] of frames) {
        const side = (which: Side, watch: CoreWatch | null) =>
          deliveriesPerCoreSecond(which, step, text, frame, watch);
        for (let warm = 0; warm < (index === 0 ? plan.warmUp : 1); warm += 1)
          for (const which of [natter, raw]) await side(which, null);
        for (let round = 0; round < plan.rounds; round += 1) {
          // A B, B A: what drifts during the run meets both alike.
          const order = round % 2 === 0 ? [natter, raw] : [raw, natter];
          const found = new Map<Side, number>();
          for (const which of order) found.set(which, await side(which, cores));
          const [ours, theirs] = [found.get(natter) as number, found.get(raw) as number];
          rounds.push({ watchers: step.watchers, textBytes, natter: ours, raw: theirs });
        }
      }
    }
    return {
      measurements: plan.steps.flatMap(({ watchers }) =>
        TEXT_BYTES.flatMap((bytes) => rows(watchers, bytes, rounds)),
      ),
      cores: cores.use(),
      details: { plan, frameBytes: [...frames.values()].map(({ frame }) => frame.length), rounds },
    };
  },
};

async function prepare(bench: Bench) {
  const stack = await startMeasuredStack(bench, 'gateway', { WEBSOCKET_HEARTBEAT_INTERVAL: '480' });
  const rawRoom = await startRawRoom(bench);
  const tokens = await tokensOf(stack, PEOPLE);
  const room = await BenchRoom.open(stack, tokens[0] as string);
  bench.defer(() => room.close());
  const frames = new Map<number, { text: string; frame: string }>();
  for (const bytes of TEXT_BYTES) {
    const text = 'token01 '.repeat(bytes / 8);
    frames.set(bytes, { text, frame: await room.frameOf(text) });
  }
  const natter = await natterSide(bench, stack.gateways[0]?.pid as number, room);
  const raw: Side = {
    pid: rawRoom.pid,
    watchers: await startWatchers(bench, 'raw uWebSockets.js'),
    begin: async (_text, frame) => {
      rawRoom.say(frame);
      return () => rawRoom.say(frame);
    },
    end: async () => undefined,
  };
  let opened = 0;
  const open = async (watchers: number) => {
    const count = watchers - opened;
    opened = watchers;
    const port = stack.gateways[0]?.ports.http as number;
    const paths = tokens.map((token) => roomPath(token));
    await natter.watchers({ type: 'open', port, paths, count, readyMark: JOINED_MARK });
    await raw.watchers({ type: 'open', port: rawRoom.port, paths: ['/watch'], count, readyMark: null });
  };
  return { natter, raw, frames, open };
}

async function natterSide(bench: Bench, pid: number, room: BenchRoom): Promise<Side> {
  let run = room.run();
  return {
    pid,
    watchers: await startWatchers(bench, 'Natter'),
    begin: async (text) => {
      run = room.run();
      await run.begin();
      await run.say(text);
      return () => run.say(text);
    },
    end: () => run.end(),
  };
}

/** One round: each message is said when everybody has the one before. */
async function deliveriesPerCoreSecond(
  side: Side,
  { watchers, messages }: Plan['steps'][number],
  text: string,
  frame: string,
  cores: CoreWatch | null,
): Promise<number> {
  await side.watchers({ type: 'count', bytes: frame.length });
  const say = await side.begin(text, frame);
  await side.watchers({ type: 'wait', deliveries: watchers });
  const stop = cores?.start();
  const before = cpuSeconds(side.pid);
  for (let message = 1; message <= messages; message += 1) {
    await say();
    await side.watchers({ type: 'wait', deliveries: (message + 1) * watchers });
  }
  const used = cpuSeconds(side.pid) - before;
  stop?.();
  await side.end();
  return (watchers * messages) / used;
}

function rows(watchers: number, textBytes: number, rounds: Round[]): Measurement[] {
  const own = rounds.filter((round) => round.watchers === watchers && round.textBytes === textBytes);
  const id = `fanout.${watchers}-${textBytes}`;
  const micros = 1e6 / medianInterval(own.map(({ natter }) => natter)).median;
  const rawMicros = 1e6 / medianInterval(own.map(({ raw }) => raw)).median;
  const extra = (micros - rawMicros) * watchers;
  return [
    row(
      id,
      `${watchers} watchers, ${textBytes} B: deliveries per core second`,
      '/s',
      own.map(({ natter }) => natter),
    ),
    row(
      `${id}-raw`,
      'the same, raw uWebSockets.js',
      '/s',
      own.map(({ raw }) => raw),
    ),
    {
      ...row(
        `${id}-ratio`,
        'gateway ÷ raw, per round',
        '×',
        own.map(({ natter, raw }) => natter / raw),
      ),
      why: `a message costs ${Math.round(extra)} µs more than the deliveries of it`,
    },
  ];
}

function row(id: string, label: string, unit: string, values: number[]): Measurement {
  const { median, ...interval } = medianInterval(values);
  return { id, label, value: median, unit, interval };
}
