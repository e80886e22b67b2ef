/** How much later than the model sends it a token reaches the person. */
import type { Stack } from '@natter/testkit';
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { type AskerOptions, Askers } from '../load/askers.ts';
import { BrokerTap } from '../load/broker-tap.ts';
import { monotonicMicros } from '../measure/clock.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { medianInterval } from '../measure/interval.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import { type Distribution, distribution } from '../measure/samples.ts';
import { startMeasuredStack } from '../stack.ts';
import { startTokenServer } from '../token-server.ts';

interface Plan {
  streams: number;
  tokensPerSecond: number;
  /** Tokens of one answer; then the person asks again. */
  tokens: number;
  warmUpMs: number;
  /** Parts of the measured time; each gives its own percentiles. */
  slices: number;
  sliceMs: number;
}

const PLANS: Record<Size, Plan> = {
  tiny: { streams: 10, tokensPerSecond: 50, tokens: 25, warmUpMs: 1_000, slices: 2, sliceMs: 500 },
  quick: { streams: 200, tokensPerSecond: 50, tokens: 250, warmUpMs: 8_000, slices: 9, sliceMs: 1_000 },
  full: { streams: 200, tokensPerSecond: 50, tokens: 250, warmUpMs: 10_000, slices: 15, sliceMs: 4_000 },
};
/** Streams that are also watched at the broker: a tenth costs little. */
const TAPPED = 0.1;

export const latency: Figure = {
  name: 'latency',
  title: 'Token latency added',
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const model = await startTokenServer(bench);
    const epochMicros = monotonicMicros();
    const { tokensPerSecond, tokens } = plan;
    await model.ask({ type: 'paced', tokensPerSecond, tokens, epochMicros });
    const stack = await startMeasuredStack(bench, 'everything', model.env);
    const { askers, tap } = await startLoad(bench, stack, plan, epochMicros);

    await askers.startSpread(Math.min(plan.warmUpMs, (1_000 * tokens) / tokensPerSecond));
    await askers.collect(plan.warmUpMs);
    await model.ask({ type: 'lateness' });
    tap.take();

    const cores = new CoreWatch();
    const stop = cores.start();
    const cpu = cpuOf(stack);
    const slices: Float64Array[] = [];
    for (let slice = 0; slice < plan.slices; slice += 1) slices.push(await askers.collect(plan.sliceMs));
    const used = cpu();
    stop();
    const lateness = (await model.ask({ type: 'lateness' })) as Distribution | null;
    const atBroker = tap.take();
    askers.stop();
    await tap.close();

    const all = distribution(join(slices));
    const perToken = Object.fromEntries(
      Object.entries(used).map(([name, seconds]) => [name, (seconds * 1e6) / all.count]),
    );
    const answers = askers.answered;
    return {
      measurements: [
        {
          ...latencyOf('p50', slices, all.p50),
          label: `${plan.streams} streams × ${tokensPerSecond} tokens/s, p50`,
        },
        {
          ...latencyOf('p99', slices, all.p99),
          why: `the model itself wrote p99 ${ms(lateness?.p99)} late; cores in the JSON`,
        },
        latencyOf('p999', slices, all.p999),
        plain(
          'latency.generator-p99',
          'of it the model writing late, p99',
          (lateness?.p99 ?? 0) / 1_000,
          'ms',
        ),
        plain('latency.broker-p50', 'of it model to broker out, p50', (atBroker?.p50 ?? 0) / 1_000, 'ms'),
        plain('latency.broker-p99', 'of it model to broker out, p99', (atBroker?.p99 ?? 0) / 1_000, 'ms'),
        ...Object.entries(perToken).map(([name, micros]) =>
          plain(`latency.cpu-${name}`, `CPU per token, ${name}`, micros, 'µs'),
        ),
      ],
      cores: cores.use(),
      details: {
        plan,
        latencyMicros: all,
        latenessMicros: lateness,
        atBrokerMicros: atBroker,
        answers,
        frames: askers.frames,
      },
    };
  },
};

async function startLoad(bench: Bench, stack: Stack, plan: Plan, epochMicros: number) {
  const tap = await BrokerTap.connect(stack.nats, epochMicros);
  bench.defer(() => tap.close());
  const tapped = Math.ceil(plan.streams * TAPPED);
  const options: AskerOptions = {
    port: stack.gateways[0]?.ports.http as number,
    count: plan.streams,
    epochMicros,
    tokensPerAnswer: plan.tokens,
    token: (sub) => stack.token({ sub }),
    asked: (index, sub, session) => (index < tapped ? tap.watch(sub, session) : () => undefined),
  };
  const askers = await Askers.connect(options);
  bench.defer(() => askers.stop());
  return { askers, tap };
}

/** CPU seconds of each part since this call. */
function cpuOf(stack: Stack): () => Record<string, number> {
  const pids: Record<string, number> = {
    agent: stack.agents[0]?.pid as number,
    gateway: stack.gateways[0]?.pid as number,
    broker: stack.nats.pid,
  };
  const before = Object.entries(pids).map(([name, pid]) => ({ name, pid, cpu: cpuSeconds(pid) }));
  return () => Object.fromEntries(before.map(({ name, pid, cpu }) => [name, cpuSeconds(pid) - cpu]));
}

/** The value is that of all samples; the interval that of the slices' own percentiles. */
function latencyOf(what: 'p50' | 'p99' | 'p999', slices: Float64Array[], micros: number): Measurement {
  const { low, high, coverage, rounds } = medianInterval(slices.map((slice) => distribution(slice)[what]));
  return {
    id: `latency.${what}`,
    label: `the same, p${what === 'p999' ? '99.9' : what.slice(1)}`,
    value: micros / 1_000,
    unit: 'ms',
    interval: { low: low / 1_000, high: high / 1_000, coverage, rounds },
  };
}

function plain(id: string, label: string, value: number, unit: string): Measurement {
  return { id, label, value, unit };
}

function join(parts: Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function ms(micros: number | undefined): string {
  return micros === undefined ? 'unknown' : `${(micros / 1_000).toFixed(1)} ms`;
}
