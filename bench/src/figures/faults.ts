/** What is lost, ended twice or shown wrongly when parts of Natter are killed under load. */
import type { Stack } from '@natter/testkit';
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { startFaultStack } from '../faults/fault-stack.ts';
import { kills, type MischiefContext, modelFaults, pause, victimOf } from '../faults/mischief.ts';
import type { Crowd } from '../faults/open-places.ts';
import { type JudgedPart, type PartOptions, type PartResult, runPart } from '../faults/part.ts';
import { Xorshift } from '../fuzz/xorshift.ts';
import { connectAs } from '../load/service-bus.ts';

interface Plan {
  crowd: Crowd;
  /** Of each part. */
  acknowledgements: number;
  kills: number;
  pauseMs: { least: number; most: number };
  uploaders: number;
  /** All parts at once but for the broker's: quicker, and who is to blame is less plain. */
  together: boolean;
  /** The broker's part, which is alone in any size, as all others die with it. */
  withBroker: boolean;
}

const PLANS: Record<Size, Plan> = {
  tiny: {
    crowd: { rooms: 1, conversations: 1 },
    acknowledgements: 10,
    kills: 1,
    pauseMs: { least: 20, most: 60 },
    uploaders: 1,
    together: true,
    withBroker: true,
  },
  quick: {
    crowd: { rooms: 1, conversations: 1 },
    acknowledgements: 60,
    kills: 1,
    pauseMs: { least: 20, most: 60 },
    uploaders: 2,
    together: true,
    withBroker: false,
  },
  full: {
    crowd: { rooms: 6, conversations: 6 },
    acknowledgements: 1_000,
    kills: 6,
    pauseMs: { least: 20, most: 150 },
    uploaders: 4,
    together: false,
    withBroker: true,
  },
};
/** Slow enough that an answer of 20 tokens is often cut in the middle. */
const TOKENS_PER_SECOND = 30;
/** A request to a service that was killed just then is answered when this is over: then it is repeated. */
const TIMEOUTS = { NATTER_STORE_TIMEOUT_MS: '4000', NATTER_FINALIZE_TIMEOUT_MS: '2000' };
const CUTS_PER_SECOND = 3;
const CANCEL_PERCENT = 10;
/** Of the part in which people do little else. */
const MANY_CANCELS_PERCENT = 50;

interface Part {
  name: string;
  label: string;
  more?: Partial<PartOptions>;
  mischief(context: MischiefContext): Promise<unknown>;
}

export const faults: Figure = {
  name: 'faults',
  title: 'Kill -9 under load',
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    bench.say(`--seed ${bench.seed}`);
    const stack = await startFaultStack(bench, {
      gateways: 2,
      agents: 3,
      uploads: 2,
      env: TIMEOUTS,
      demo: { answer: 'echo', tokensPerSecond: TOKENS_PER_SECOND, firstTokenMs: 50 },
    });
    const bus = await connectAs('gateway', stack.nats);
    bench.defer(() => bus.close());
    const all = partsOf(stack, plan);
    const parts = all.filter(({ name }) => plan.withBroker || name !== 'broker');
    const run = async (part: Part): Promise<JudgedPart> => {
      const judged = await runPart({
        ...optionsOf(part, plan),
        stack,
        bus,
        random: randomOf(bench, all, part),
      });
      tell(bench, judged.result);
      return judged;
    };
    // Broker and agent that die together forget what was said of an answer: that is known.
    const isAlone = ({ name }: Part) => !plan.together || name === 'broker';
    const judged = await Promise.all(parts.filter((part) => !isAlone(part)).map(run));
    for (const part of parts.filter(isAlone)) judged.push(await run(part));
    // What came through its own fault must come through all others too.
    for (const { result, lostSince } of judged) result.lost.push(...(await lostSince()));
    const results = judged.map(({ result }) => result);
    const measurements = [...parts.flatMap((part) => ofPart(part, results)), ...ofAll(results)];
    return { measurements, cores: [], details: { seed: bench.seed, plan, parts: results } };
  },
};

/** Each part leaves its own to chance, whatever others run beside it. */
function randomOf({ seed }: Bench, parts: readonly Part[], part: Part): Xorshift {
  return new Xorshift(seed, parts.indexOf(part));
}

function optionsOf({ name, mischief, more }: Part, { crowd, acknowledgements, pauseMs }: Plan) {
  const usual = { uploaders: 0, cancelPercent: CANCEL_PERCENT, cutsPerSecond: CUTS_PER_SECOND };
  return { name, mischief, crowd, acknowledgements, pauseMs, ...usual, ...more };
}

function partsOf(stack: Stack, plan: Plan): Part[] {
  const { acknowledgements: during, kills: count } = plan;
  const { nats } = stack;
  const services = { gateway: stack.gateways, auth: [stack.auth], uploads: stack.uploads };
  const killed = (name: keyof typeof services): Part => ({
    name,
    label: `${name} killed`,
    mischief: (context) => kills(context, services[name].map(victimOf), count, during),
    ...(name === 'uploads' && { more: { uploaders: plan.uploaders } }),
  });
  const [paused, ...killedAgents] = stack.agents;
  return [
    killed('gateway'),
    {
      name: 'agent',
      label: 'agent killed, or stopped past AckWait',
      mischief: (context) =>
        Promise.all([
          kills(context, killedAgents.map(victimOf), count, during),
          paused === undefined ? null : pause(context, paused, during),
        ]),
    },
    killed('auth'),
    killed('uploads'),
    {
      name: 'broker',
      label: 'broker killed',
      mischief: (context) =>
        kills(
          context,
          [{ name: 'nats-server', kill: () => nats.kill(), restart: () => nats.restart() }],
          count,
          during,
        ),
    },
    {
      name: 'model',
      label: 'model slow, cut off, failing; answers cancelled',
      more: { cancelPercent: MANY_CANCELS_PERCENT },
      mischief: (context) => modelFaults(context, 2 * count, during),
    },
  ];
}

function tell(bench: Bench, part: PartResult): void {
  const { name, acknowledged, blows, lost, otherEnds, runs, different, clients, failures, seconds } = part;
  const bad = `${lost.length} lost, ${otherEnds.length} of ${runs} runs and ${different.length} of ${clients} clients wrong`;
  bench.say(`${name}: ${acknowledged} acknowledged, ${blows.length} blows, ${bad}, ${seconds} s`);
  for (const failure of failures) bench.say(`${name}: not in time: ${failure}`);
}

function ofPart({ name, label }: Part, results: PartResult[]): Measurement[] {
  const result = results.find((one) => one.name === name) as PartResult;
  const { acknowledged, lost, blows } = result;
  const what = name === 'uploads' ? 'parts and files' : 'messages';
  const [first] = lost;
  return [
    row(`${name}-lost`, `acknowledged ${what} lost: ${label}`, lost.length, first),
    row(`${name}-acked`, `of so many, with ${blows.length} faults`, acknowledged),
  ];
}

function ofAll(results: PartResult[]): Measurement[] {
  const sum = (value: (part: PartResult) => number) => results.reduce((all, part) => all + value(part), 0);
  const ends = results.flatMap(({ otherEnds }) => otherEnds);
  const late = results.flatMap(({ failures }) => failures);
  const different = results.flatMap((part) => part.different);
  return [
    row('ends-other-than-one', 'runs without exactly one end', ends.length, ends[0]),
    row(
      'runs',
      'of so many',
      sum(({ runs }) => runs),
    ),
    row(
      'transcripts-different',
      'clients shown something else than is stored',
      different.length,
      different[0]?.what[0],
    ),
    row(
      'clients',
      'of so many',
      sum(({ clients }) => clients),
    ),
    row(
      'connections',
      'connections they had',
      sum(({ connections }) => connections),
    ),
    row('late', 'what did not come within 90 s', late.length, late[0]),
  ];
}

function row(id: string, label: string, value: number, why?: string): Measurement {
  return { id: `faults.${id}`, label, value, unit: '', ...(why === undefined ? {} : { why }) };
}
