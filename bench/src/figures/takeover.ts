/** How long answers stand still when the agent that writes them is killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceProcess, Stack } from '@natter/testkit';
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { startFaultStack } from '../faults/fault-stack.ts';
import { Handovers } from '../faults/handovers.ts';
import { TimedAnswer } from '../faults/timed-answer.ts';
import { Xorshift } from '../fuzz/xorshift.ts';
import { distribution } from '../measure/samples.ts';
import { until } from '../measure/until.ts';

interface Plan {
  kills: number;
  /** Runs on the agent that is killed. */
  runs: number;
}

const PLANS: Record<Size, Plan> = {
  tiny: { kills: 1, runs: 3 },
  quick: { kills: 1, runs: 20 },
  full: { kills: 10, runs: 20 },
};
/** So long that no answer ends before its agent does. */
const ANSWER = Array.from({ length: 300 }, (_, at) => `word${at}`).join(' ');
const SLOW_TOKENS_PER_SECOND = 8;
const BRISK_TOKENS_PER_SECOND = 200;
/** Agents give a sign of life every 2 s; the kill may come anywhere between two. */
const KILL_WITHIN_MS = 2_000;
const BEGIN_MS = 30_000;
/** Far above the goal: what takes longer is late, not lost. */
const TAKEN_MS = 60_000;

interface Killed {
  /** From the kill to the first frame of another agent's, in milliseconds, one for each run. */
  waits: number[];
  /** Runs that did not end once, or not with the whole answer. */
  wrong: string[];
}

export const takeover: Figure = {
  name: 'takeover',
  title: 'An agent killed in mid-run',
  onlyByName: true,
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    bench.say(`--seed ${bench.seed}`);
    const stack = await startFaultStack(bench, { agents: 2 });
    const handovers = await Handovers.listen(stack.nats);
    bench.defer(() => handovers.close());
    const random = new Xorshift(bench.seed);
    const killed: Killed[] = [];
    // Who is dead during the questions gets none of them.
    await stack.agents[1]?.kill();
    for (let kill = 0; kill < plan.kills; kill += 1) {
      killed.push(await oneKill(bench, stack, handovers, kill, plan.runs, random.below(KILL_WITHIN_MS)));
      bench.say(`kill ${kill + 1}: ${Math.round(Math.max(...(killed.at(-1)?.waits ?? [])))} ms at most`);
    }
    const waits = killed.flatMap((one) => one.waits);
    const wrong = killed.flatMap((one) => one.wrong);
    const { p50, p99, max, count } = distribution(Float64Array.from(waits));
    return {
      measurements: [
        row('p50', `from the kill to the next frame, ${count} runs, ${plan.kills} kill(s)`, p50 / 1e3, 's'),
        row('p99', '99% of them', p99 / 1e3, 's'),
        row('max', 'the longest', max / 1e3, 's'),
        row('wrong', 'runs without exactly one end, or with another text', wrong.length, '', wrong[0]),
      ],
      cores: [],
      details: { seed: bench.seed, plan, killed },
    };
  },
};

async function oneKill(
  bench: Bench,
  stack: Stack,
  handovers: Handovers,
  kill: number,
  runs: number,
  delayMs: number,
): Promise<Killed> {
  const victim = stack.agents[kill % 2] as ServiceProcess;
  const other = stack.agents[(kill + 1) % 2] as ServiceProcess;
  await stack.demo.behave({ script: ANSWER, firstTokenMs: 0, tokensPerSecond: SLOW_TOKENS_PER_SECOND });
  const port = stack.gateways[0]?.ports.http as number;
  const answers = await Promise.all(
    Array.from({ length: runs }, async (_, index) => {
      const sub = `asker-${kill}-${index}`;
      return TimedAnswer.ask(port, await stack.token({ sub }), sub, 'What is the engine power?');
    }),
  );
  bench.defer(() => {
    for (const answer of answers) answer.drop();
  });
  const all = (isSo: (answer: TimedAnswer) => boolean) => () => {
    const failed = answers.find(({ failure }) => failure !== null);
    if (failed) throw new Error(`a connection was lost: ${failed.failure}`);
    return answers.every(isSo);
  };
  await until(
    BEGIN_MS,
    'every answer has begun',
    all(({ text }) => text !== ''),
  );
  await other.restart();
  await sleep(delayMs);
  await stack.demo.behave({ tokensPerSecond: BRISK_TOKENS_PER_SECOND });
  if (answers.some(({ ends }) => ends > 0)) throw new Error('an answer had ended before the kill');
  const killedAt = performance.now();
  await victim.kill();
  await until(
    TAKEN_MS,
    'every run has ended',
    all(({ ends }) => ends > 0),
  );
  const waits = answers.flatMap((answer) => {
    const resumedAt = handovers.of(answer.conversation);
    const at = resumedAt === null ? null : answer.beyond(resumedAt);
    return at === null ? [] : [at - killedAt];
  });
  if (waits.length < runs) throw new Error(`${runs - waits.length} of ${runs} runs changed no hands`);
  const wrong = answers.flatMap(({ ends, text }, index) =>
    ends === 1 && text === ANSWER
      ? []
      : [`run ${index} of kill ${kill + 1}: ${ends} ends, ${text.length} characters`],
  );
  return { waits, wrong };
}

function row(id: string, label: string, value: number, unit: string, why?: string): Measurement {
  return { id: `takeover.${id}`, label, value, unit, ...(why === undefined ? {} : { why }) };
}
