/** What it costs to tell everybody in a room something, against raw uWebSockets.js. */
import type { Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { prepareSides, type Side } from '../load/room-sides.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { medianInterval } from '../measure/interval.ts';
import { cpuSeconds } from '../measure/process-meter.ts';

interface Step {
  watchers: number;
  /** Of one round; an answer has at most 200,000 characters. */
  messages: number;
  /** Messages said at once; the next come when everybody has those. */
  atOnce: number;
}

interface Plan {
  steps: Step[];
  rounds: number;
  /** Rounds before the first step: until the code is optimised. */
  warmUp: number;
  /** A step whose watchers would take longer to come is left out, and the result says so. */
  openMs: number;
}

const STEPS: Step[] = [
  { watchers: 10, messages: 150, atOnce: 1 },
  { watchers: 100, messages: 100, atOnce: 1 },
  { watchers: 1_000, messages: 16, atOnce: 1 },
  { watchers: 1_000, messages: 96, atOnce: 16 },
  { watchers: 10_000, messages: 3, atOnce: 1 },
];
const PLANS: Record<Size, Plan> = {
  tiny: {
    steps: [
      { watchers: 10, messages: 10, atOnce: 1 },
      { watchers: 50, messages: 8, atOnce: 4 },
    ],
    rounds: 2,
    warmUp: 1,
    openMs: 30_000,
  },
  quick: { steps: STEPS, rounds: 7, warmUp: 8, openMs: 30_000 },
  full: { steps: STEPS, rounds: 31, warmUp: 20, openMs: 300_000 },
};
const TEXT_BYTES = [128, 1_024] as const;
interface Round {
  step: Step;
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
    const { natter, raw, frames, openTimeMs, open } = await prepareSides(bench, TEXT_BYTES);
    const cores = new CoreWatch();
    const rounds: Round[] = [];
    const steps: Step[] = [];
    for (const [index, step] of plan.steps.entries()) {
      const expectedMs = openTimeMs(step.watchers);
      if (expectedMs > plan.openMs) {
        bench.say(
          `${step.watchers} watchers left out: they would take ${Math.round(expectedMs / 1_000)} s to come`,
        );
        continue;
      }
      await open(step.watchers);
      steps.push(step);
      bench.say(`${step.watchers} watchers, ${step.atOnce} at once`);
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
          rounds.push({ step, textBytes, natter: ours, raw: theirs });
        }
      }
    }
    return {
      measurements: steps.flatMap((step) => TEXT_BYTES.flatMap((bytes) => rows(step, bytes, rounds))),
      cores: cores.use(),
      details: { plan, frameBytes: [...frames.values()].map(({ frame }) => frame.length), rounds },
    };
  },
};

/** One round: messages are said when everybody has those before. */
async function deliveriesPerCoreSecond(
  side: Side,
  { watchers, messages, atOnce }: Step,
  text: string,
  frame: string,
  cores: CoreWatch | null,
): Promise<number> {
  await side.watchers({ type: 'count', bytes: frame.length });
  const say = await side.begin(text, frame);
  await side.watchers({ type: 'wait', deliveries: watchers });
  const stop = cores?.start();
  const before = cpuSeconds(side.pid);
  for (let said = 0; said < messages; said += atOnce) {
    await say(atOnce);
    await side.watchers({ type: 'wait', deliveries: (1 + said + atOnce) * watchers });
  }
  const used = cpuSeconds(side.pid) - before;
  stop?.();
  await side.end();
  return (watchers * messages) / used;
}

function rows(step: Step, textBytes: number, rounds: Round[]): Measurement[] {
  const { watchers, atOnce } = step;
  const own = rounds.filter((round) => round.step === step && round.textBytes === textBytes);
  const id = `fanout.${watchers}-${textBytes}${atOnce > 1 ? `-by-${atOnce}` : ''}`;
  const micros = 1e6 / medianInterval(own.map(({ natter }) => natter)).median;
  const rawMicros = 1e6 / medianInterval(own.map(({ raw }) => raw)).median;
  const extra = (micros - rawMicros) * watchers;
  return [
    row(
      id,
      `${watchers} watchers, ${textBytes} B${atOnce > 1 ? `, ${atOnce} at once` : ''}: deliveries per core second`,
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
