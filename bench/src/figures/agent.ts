/** How many tokens an agent passes on for a second of CPU, against an SDK that only reads them. */
import type { ServiceProcess } from '@natter/testkit';
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { HelperProcess } from '../helper-process.ts';
import { Turns } from '../load/turns.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { CORE } from '../measure/cores.ts';
import { INSPECTOR_OPTIONS, Inspector } from '../measure/inspector.ts';
import { medianInterval } from '../measure/interval.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import { quiet, settledMemory } from '../measure/settled.ts';
import { slope } from '../measure/slope.ts';
import { until } from '../measure/until.ts';
import type { SdkLoopRequest } from '../peers/sdk-loop/main.ts';
import { startMeasuredStack } from '../stack.ts';
import { startTokenServer, type TokenServer } from '../token-server.ts';

interface Plan {
  streams: number;
  /** Tokens of one answer. */
  tokens: number;
  rounds: number;
  /** Rounds before that: until the code is optimised. */
  warmUp: number;
  /** Runs at once whose memory is read; none where that is left out. */
  runs: readonly number[];
}

const PLANS: Record<Size, Plan> = {
  tiny: { streams: 4, tokens: 100, rounds: 2, warmUp: 2, runs: [2, 6] },
  // The same rounds in both, so that their ratios compare.
  quick: { streams: 100, tokens: 600, rounds: 6, warmUp: 2, runs: [] },
  full: { streams: 100, tokens: 600, rounds: 25, warmUp: 2, runs: [50, 500, 1_000] },
};
/** Of one token of the server, `token01 `. */
const TOKEN_CHARS = 8;
const ROUND_MS = 60_000;

interface Held {
  runs: number;
  rss: number;
  /** Bytes of JavaScript objects after garbage was collected. */
  heap: number;
}

interface Side {
  pid: number;
  /** One round; returns the characters read. */
  run(): Promise<number>;
}

export const agent: Figure = {
  name: 'agent',
  title: 'Agent tokens per core second',
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const { natter, sdk, memory } = await prepare(bench, plan);
    for (let round = 0; round < plan.warmUp; round += 1)
      for (const side of [natter, sdk]) await tokensPerCoreSecond(side, plan, null);
    const cores = new CoreWatch();
    const rounds: { natter: number; sdk: number }[] = [];
    for (let index = 0; index < plan.rounds; index += 1) {
      const order = index % 2 === 0 ? [natter, sdk] : [sdk, natter];
      const found = new Map<Side, number>();
      for (const side of order) found.set(side, await tokensPerCoreSecond(side, plan, cores));
      rounds.push({ natter: found.get(natter) as number, sdk: found.get(sdk) as number });
      bench.say(`round ${index + 1} of ${plan.rounds}: ${rounds.map((r) => Math.round(r.natter)).at(-1)}/s`);
    }
    const held = plan.runs.length === 0 ? [] : await memory();
    return {
      measurements: [
        row(
          'agent.tokens',
          `tokens per agent core second, ${plan.streams} streams`,
          '/s',
          rounds.map((round) => round.natter),
        ),
        row(
          'agent.sdk-tokens',
          'the same, SDK loop that only parses',
          '/s',
          rounds.map(({ sdk }) => sdk),
        ),
        {
          ...row(
            'agent.ratio',
            'agent ÷ SDK loop, per round',
            '×',
            rounds.map((round) => round.natter / round.sdk),
          ),
          better: 'higher',
        },
        ...(held.length === 0
          ? []
          : [
              growth('agent.run-rss', 'RSS for each run at once', held, 'rss'),
              growth('agent.run-heap', 'of it JavaScript objects in use', held, 'heap'),
            ]),
      ],
      cores: cores.use(),
      details: { plan, rounds, held },
    };
  },
};

interface Prepared {
  natter: Side;
  sdk: Side;
  memory(): Promise<Held[]>;
}

async function prepare(bench: Bench, plan: Plan): Promise<Prepared> {
  const model = await startTokenServer(bench);
  await model.ask({ type: 'fast', tokens: plan.tokens });
  const most = String(Math.max(plan.streams, ...plan.runs));
  const env = { ...model.env, NATTER_AGENT_CONCURRENCY: most, NODE_OPTIONS: INSPECTOR_OPTIONS };
  const stack = await startMeasuredStack(bench, 'agent', env);
  const turns = await Turns.connect(stack.nats);
  bench.defer(() => turns.close());
  const entry = `${import.meta.dirname}/../peers/sdk-loop/main.ts`;
  const peer = await HelperProcess.start<SdkLoopRequest, number>('SDK loop', entry);
  bench.defer(() => peer.stop());
  bench.cores.pin(peer.pid, CORE.underTest);
  const { streams } = plan;
  const agent = stack.agents[0] as ServiceProcess;
  return {
    memory: () => memoryOf(bench, plan, agent, model, turns),
    natter: {
      pid: agent.pid,
      run: async () => (await turns.ask(streams, ROUND_MS)).chars,
    },
    sdk: { pid: peer.pid, run: () => peer.ask({ baseUrl: model.baseUrl, streams }, ROUND_MS) },
  };
}

/** Memory of the agent while so many runs are in the middle of their answers. */
async function memoryOf(
  bench: Bench,
  plan: Plan,
  agent: ServiceProcess,
  model: TokenServer,
  turns: Turns,
): Promise<Held[]> {
  const inspector = await Inspector.attach(agent);
  bench.defer(() => inspector.close());
  await model.ask({ type: 'held', tokens: plan.tokens });
  const found: Held[] = [];
  for (const runs of plan.runs) {
    const answered = turns.ask(runs, ROUND_MS);
    await until(
      ROUND_MS,
      `${runs} streams held`,
      async () => (await model.ask({ type: 'holding' })) === runs,
    );
    await quiet(agent.pid);
    const heap = await inspector.collectGarbage();
    const { rss } = await settledMemory(agent.pid);
    found.push({ runs, rss, heap });
    bench.say(`${runs} runs: RSS ${(rss / 1e6).toFixed(1)} MB, heap ${(heap / 1e6).toFixed(1)} MB`);
    await model.ask({ type: 'release' });
    await answered;
  }
  return found;
}

/** Bytes for each run more. */
function growth(id: string, label: string, held: readonly Held[], what: 'rss' | 'heap'): Measurement {
  const value = slope(held.map((point) => ({ x: point.runs, y: point[what] }))) / 1_024;
  return { id, label, value, unit: 'KiB' };
}

/** One round of one side, with what its process does after the last answer. */
async function tokensPerCoreSecond(side: Side, plan: Plan, cores: CoreWatch | null): Promise<number> {
  const expected = plan.streams * plan.tokens;
  const stop = cores?.start();
  const before = cpuSeconds(side.pid);
  const chars = await side.run();
  stop?.();
  await quiet(side.pid);
  if (chars !== expected * TOKEN_CHARS) throw new Error(`${chars} characters came of ${expected} tokens`);
  return expected / (cpuSeconds(side.pid) - before);
}

function row(id: string, label: string, unit: string, values: number[]): Measurement {
  const { median, ...interval } = medianInterval(values);
  return { id, label, value: median, unit, interval };
}
