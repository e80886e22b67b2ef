/** What it costs to tell everybody in a room something, against raw uWebSockets.js and peers. */
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { prepareSides, type Side, textOf } from '../load/room-sides.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { medianInterval } from '../measure/interval.ts';

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
  { watchers: 10, messages: 100, atOnce: 1 },
  { watchers: 100, messages: 60, atOnce: 1 },
  { watchers: 1_000, messages: 12, atOnce: 1 },
  { watchers: 1_000, messages: 64, atOnce: 16 },
];
const MOST: Step = { watchers: 10_000, messages: 3, atOnce: 1 };
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
  quick: { steps: STEPS, rounds: 6, warmUp: 30, openMs: 10_000 },
  full: { steps: [...STEPS, MOST], rounds: 15, warmUp: 20, openMs: 300_000 },
};
const TEXT_BYTES = [128, 1_024] as const;

interface Round {
  side: string;
  step: Step;
  textBytes: number;
  round: number;
  /** Deliveries for each core second of the processes under test. */
  deliveries: number;
  /** CPU of the broker for each message, in µs. */
  brokerMicros: number;
}

export const fanout: Figure = {
  name: 'fanout',
  title: 'Room fan-out',
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const sides = await prepareSides(
      bench,
      TEXT_BYTES,
      bench.peers.filter(({ startRoom }) => startRoom !== undefined),
    );
    const cores = new CoreWatch();
    const rounds: Round[] = [];
    const steps: Step[] = [];
    for (const step of plan.steps) {
      const expectedMs = sides.openTimeMs(step.watchers);
      if (expectedMs > plan.openMs) {
        bench.say(
          `${step.watchers} watchers left out: they would take ${Math.round(expectedMs / 1_000)} s to come`,
        );
        continue;
      }
      await sides.open(step.watchers);
      const warmUp = steps.length === 0 ? plan.warmUp : 1;
      steps.push(step);
      rounds.push(...(await measure(bench, sides.all, step, { ...plan, warmUp }, cores)));
    }
    return {
      measurements: steps.flatMap((step) =>
        TEXT_BYTES.flatMap((bytes) => rows(step, bytes, sides.all, rounds)),
      ),
      cores: cores.use(),
      details: { plan, rounds },
    };
  },
};

/** All rounds of one step. */
async function measure(
  bench: Bench,
  all: readonly Side[],
  step: Step,
  plan: Pick<Plan, 'rounds' | 'warmUp'>,
  cores: CoreWatch,
): Promise<Round[]> {
  bench.say(`${step.watchers} watchers, ${step.atOnce} at once`);
  const sides = all.filter(({ mostWatchers }) => mostWatchers >= step.watchers);
  const rounds: Round[] = [];
  for (const textBytes of TEXT_BYTES) {
    const text = textOf(textBytes);
    for (let warm = 0; warm < plan.warmUp; warm += 1)
      for (const side of sides) await say(side, step, text, null);
    for (let round = 0; round < plan.rounds; round += 1) {
      // A B C, C B A: what drifts during the run meets all alike.
      for (const side of round % 2 === 0 ? sides : sides.toReversed())
        rounds.push({ side: side.name, step, textBytes, round, ...(await say(side, step, text, cores)) });
    }
  }
  return rounds;
}

/** One round: messages are said when everybody has those before. */
async function say(
  side: Side,
  { watchers, messages, atOnce }: Step,
  text: string,
  cores: CoreWatch | null,
): Promise<Pick<Round, 'deliveries' | 'brokerMicros'>> {
  await side.watchers({ type: 'count', ...side.delivery(text) });
  const more = await side.begin(text);
  await side.watchers({ type: 'wait', deliveries: watchers });
  const stop = cores?.start();
  const [cpu, brokerCpu] = [side.cpu(), side.brokerCpu()];
  let said = 0;
  while (said < messages) {
    await more(atOnce);
    said += atOnce;
    await side.watchers({ type: 'wait', deliveries: (1 + said) * watchers });
  }
  const deliveries = (watchers * said) / (side.cpu() - cpu);
  const brokerMicros = ((side.brokerCpu() - brokerCpu) * 1e6) / said;
  stop?.();
  await side.end();
  return { deliveries, brokerMicros };
}

function rows(step: Step, textBytes: number, sides: readonly Side[], all: Round[]): Measurement[] {
  const { watchers, atOnce } = step;
  const of = ({ name }: Pick<Side, 'name'>) =>
    all.filter((round) => round.side === name && round.step === step && round.textBytes === textBytes);
  const id = `fanout.${watchers}-${textBytes}${atOnce > 1 ? `-by-${atOnce}` : ''}`;
  const what = `${watchers} watchers, ${textBytes} B${atOnce > 1 ? `, ${atOnce} at once` : ''}`;
  const own = of({ name: 'natter' }).map(({ deliveries }) => deliveries);
  const raw = of({ name: 'raw' }).map(({ deliveries }) => deliveries);
  const micros = (values: number[]) => 1e6 / medianInterval(values).median;
  const others = sides.slice(1).flatMap((side) => {
    const theirs = of(side).map(({ deliveries }) => deliveries);
    if (theirs.length === 0) return [];
    const ratio = row(
      `${id}-${side.name === 'raw' ? 'ratio' : `vs-${side.name}`}`,
      `Natter ÷ ${side.title}, per round`,
      '×',
      own.map((value, round) => value / (theirs[round] as number)),
    );
    const why =
      side.name === 'raw'
        ? `a message costs ${Math.round((micros(own) - micros(theirs)) * watchers)} µs more than with ${side.title}`
        : `raw uWebSockets.js comes to ${(micros(theirs) / micros(raw)).toPrecision(2)} × ${side.title} here`;
    const guard = side.name === 'raw' ? { better: 'higher' as const } : {};
    return [row(`${id}-${side.name}`, `the same, ${side.title}`, '/s', theirs), { ...ratio, why, ...guard }];
  });
  return [row(id, `${what}: deliveries per core second`, '/s', own), ...others];
}

function row(id: string, label: string, unit: string, values: number[]): Measurement {
  const { median, ...interval } = medianInterval(values);
  return { id, label, value: median, unit, interval };
}
