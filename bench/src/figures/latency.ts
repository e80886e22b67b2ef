/** How much later than the model sends it a token reaches the person. */
import type { Stack } from '@natter/testkit';
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { Askers } from '../load/askers.ts';
import { BrokerTap } from '../load/broker-tap.ts';
import { monotonicMicros } from '../measure/clock.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { medianInterval } from '../measure/interval.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import { type Distribution, distribution, joined } from '../measure/samples.ts';
import { startMeasuredStack } from '../stack.ts';
import { startTokenServer, type TokenServer } from '../token-server.ts';
import { besidePeers, type Turns } from './latency/beside-peers.ts';

interface Load {
  streams: number;
  /** From the last first question on; these are spread over the length of an answer. */
  warmUpMs: number;
  /** Parts of the measured time; each gives its own percentiles. */
  slices: number;
  sliceMs: number;
}

interface Plan {
  tokensPerSecond: number;
  /** Tokens of one answer; then the person asks again. */
  tokens: number;
  /** The figure itself, and two loads that leave the machine room. */
  full: Load;
  /** Null leaves one out. */
  half: Load | null;
  quarter: Load | null;
  /** Of each load, beside peers. */
  turns: Turns;
}

const PACE = { tokensPerSecond: 50, tokens: 250 };

const PLANS: Record<Size, Plan> = {
  tiny: {
    tokensPerSecond: 50,
    tokens: 25,
    full: { streams: 10, warmUpMs: 1_000, slices: 2, sliceMs: 500 },
    half: { streams: 6, warmUpMs: 500, slices: 1, sliceMs: 500 },
    quarter: { streams: 4, warmUpMs: 500, slices: 1, sliceMs: 500 },
    turns: { tokens: 25, warmUpMs: 200, sliceMs: 500, rounds: 1 },
  },
  quick: {
    ...PACE,
    full: { streams: 200, warmUpMs: 1_000, slices: 6, sliceMs: 500 },
    half: null,
    quarter: null,
    turns: { tokens: 100, warmUpMs: 1_000, sliceMs: 2_000, rounds: 3 },
  },
  full: {
    ...PACE,
    full: { streams: 200, warmUpMs: 5_000, slices: 15, sliceMs: 3_000 },
    half: { streams: 100, warmUpMs: 4_000, slices: 15, sliceMs: 1_500 },
    quarter: { streams: 50, warmUpMs: 4_000, slices: 15, sliceMs: 1_500 },
    turns: { tokens: 100, warmUpMs: 1_500, sliceMs: 2_500, rounds: 9 },
  },
};

/** Streams that are also watched at the broker: a tenth costs little. */
const TAPPED = 0.1;

interface Outcome {
  streams: number;
  /** All in microseconds. */
  latency: Distribution;
  slices: Distribution[];
  /** How late the model wrote. */
  lateness: Distribution | null;
  /** From the model to the broker's other side. */
  atBroker: Distribution | null;
  /** CPU microseconds for each token. */
  cpu: Record<string, number>;
  /** Below 1 where tokens were merged. */
  framesPerToken: number;
  answers: number;
}

export const latency: Figure = {
  name: 'latency',
  title: 'Token latency added',
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const model = await startTokenServer(bench);
    const stack = await startMeasuredStack(bench, 'everything', model.env);
    const cores = new CoreWatch();
    const full = await measure(bench, stack, model, plan, plan.full, cores);
    // After the other: code that has seen few tokens is not optimised yet.
    const half = plan.half && (await measure(bench, stack, model, plan, plan.half, null));
    const quarter = plan.quarter && (await measure(bench, stack, model, plan, plan.quarter, null));
    const streams = { full: plan.full.streams, ...(quarter && { quarter: quarter.streams }) };
    const beside = await besidePeers(bench, stack, model, { ...plan, streams });
    const busy = `the agent alone took ${percent(full, 'agent')}% of a core, all parts with model and load ${percent(full)}% of two`;
    return {
      measurements: [
        {
          ...row('p50', `${full.streams} streams × ${plan.tokensPerSecond} tokens/s, p50`, full, 'p50'),
          why: busy,
        },
        { ...row('p99', 'the same, p99', full, 'p99'), why: busy },
        row('p999', 'the same, p99.9', full, 'p999'),
        plain('broker-p50', 'of it model to broker, p50', full.atBroker?.p50),
        plain('broker-p99', 'of it model to broker, p99', full.atBroker?.p99),
        plain('generator-p50', 'of it the model writing late, p50', full.lateness?.p50),
        plain('generator-p99', 'of it the model writing late, p99', full.lateness?.p99),
        ...(half === null ? [] : both('half', half)),
        ...(quarter === null
          ? []
          : [
              ...both('quarter', quarter),
              plain('quarter-generator-p99', 'of it the model writing late, p99', quarter.lateness?.p99),
            ]),
        {
          id: 'latency.tokens-per-frame',
          label: 'tokens merged into a frame, on average',
          value: 1 / full.framesPerToken,
          unit: '',
        },
        ...Object.entries(full.cpu).map(([part, micros]) => ({
          id: `latency.cpu-${part}`,
          label: `CPU per token, ${part}`,
          value: micros,
          unit: 'µs',
        })),
        ...beside.measurements,
      ],
      cores: cores.use(),
      details: { plan, full, half, quarter, turns: beside.turns },
    };

    function both(load: string, outcome: Outcome): Measurement[] {
      const label = `${outcome.streams} streams × ${plan.tokensPerSecond} tokens/s, p50`;
      return [row(`${load}-p50`, label, outcome, 'p50'), row(`${load}-p99`, 'the same, p99', outcome, 'p99')];
    }

    /** Of a core; of all cores together without `part`. */
    function percent({ cpu, streams }: Outcome, part?: string): number {
      const micros =
        part === undefined ? Object.values(cpu).reduce((sum, value) => sum + value, 0) / 2 : cpu[part];
      return Math.round(((micros as number) * streams * plan.tokensPerSecond) / 1e4);
    }
  },
};

/** One load, from its first question to its last slice. */
async function measure(
  bench: Bench,
  stack: Stack,
  model: TokenServer,
  { tokensPerSecond, tokens }: Plan,
  { streams, warmUpMs, slices: parts, sliceMs }: Load,
  cores: CoreWatch | null,
): Promise<Outcome> {
  const epochMicros = monotonicMicros();
  await model.ask({ type: 'paced', tokensPerSecond, tokens, epochMicros });
  const tap = await BrokerTap.connect(stack.nats, epochMicros);
  bench.defer(() => tap.close());
  const askers = await Askers.connect({
    name: `of-${streams}`,
    port: stack.gateways[0]?.ports.http as number,
    count: streams,
    epochMicros,
    tokensPerAnswer: tokens,
    token: (sub) => stack.token({ sub }),
    asked: (index, sub, session) => (index < streams * TAPPED ? tap.watch(sub, session) : () => undefined),
  });
  bench.defer(() => askers.stop());
  bench.say(`${streams} streams`);
  // Over the length of an answer, so that answers end and begin all the time: a beginning costs as
  // much as dozens of tokens, and all of them within two seconds are another load than this one.
  await askers.startSpread((1_000 * tokens) / tokensPerSecond);
  await askers.collect(warmUpMs);
  await model.ask({ type: 'lateness' });
  tap.take();

  const stop = cores?.start();
  const used = cpuOf(stack, model);
  const frames = askers.frames;
  const slices: Float64Array[] = [];
  for (let slice = 0; slice < parts; slice += 1) slices.push(await askers.collect(sliceMs));
  const latency = distribution(joined(slices));
  const cpu = Object.fromEntries(
    Object.entries(used()).map(([part, seconds]) => [part, (seconds * 1e6) / latency.count]),
  );
  stop?.();
  const outcome = {
    streams,
    latency,
    // A second without a token is in the latency of those that come after it.
    slices: slices.filter(({ length }) => length > 0).map(distribution),
    lateness: (await model.ask({ type: 'lateness' })) as Distribution | null,
    atBroker: tap.take(),
    cpu,
    framesPerToken: (askers.frames - frames) / latency.count,
    answers: askers.answered,
  };
  askers.stop();
  await tap.close();
  return outcome;
}

/** CPU seconds of each part since this call. */
function cpuOf(stack: Stack, model: TokenServer): () => Record<string, number> {
  const parts = {
    agent: stack.agents[0]?.pid as number,
    gateway: stack.gateways[0]?.pid as number,
    broker: stack.nats.pid,
    model: model.pid,
    load: process.pid,
  };
  const before = Object.entries(parts).map(([name, pid]) => ({ name, pid, cpu: cpuSeconds(pid) }));
  return () => Object.fromEntries(before.map(({ name, pid, cpu }) => [name, cpuSeconds(pid) - cpu]));
}

/** The value is that of all samples; the interval that of the slices' own percentiles. */
function row(id: string, label: string, outcome: Outcome, what: 'p50' | 'p99' | 'p999'): Measurement {
  const { low, high, coverage, rounds } = medianInterval(outcome.slices.map((slice) => slice[what]));
  const interval = { low: low / 1_000, high: high / 1_000, coverage, rounds };
  return { id: `latency.${id}`, label, value: outcome.latency[what] / 1_000, unit: 'ms', interval };
}

function plain(id: string, label: string, micros: number | undefined): Measurement {
  return { id: `latency.${id}`, label, value: (micros ?? Number.NaN) / 1_000, unit: 'ms' };
}
