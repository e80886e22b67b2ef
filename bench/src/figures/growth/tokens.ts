/** What a token costs agent, broker and gateway while more answers come at once. */
import type { Stack } from '@natter/testkit';
import type { Bench } from '../../bench.ts';
import { Askers } from '../../load/askers.ts';
import { monotonicMicros } from '../../measure/clock.ts';
import type { CoreWatch } from '../../measure/core-watch.ts';
import { cpuSeconds } from '../../measure/process-meter.ts';
import type { TokenServer } from '../../token-server.ts';
import type { CurvePoint } from './curve.ts';

export interface TokensPlan {
  /** Answers that come at once, ascending. */
  runs: readonly number[];
  tokensPerSecond: number;
  tokens: number;
  /** With the most answers at once, before all. */
  warmUpMs: number;
  settleMs: number;
  slices: number;
  sliceMs: number;
}

export const PARTS = ['gateway', 'agent', 'broker'] as const;
export type Part = (typeof PARTS)[number];
/** CPU microseconds for each token. */
export type Tokens = Record<Part, CurvePoint[]>;

/** Slices that may pass without a token. */
const MOST_WAITS = 25;

/** The most answers first: with few of them code would take long to be optimised. */
export async function measureTokens(
  bench: Bench,
  stack: Stack,
  model: TokenServer,
  plan: TokensPlan,
  cores: CoreWatch,
): Promise<Tokens> {
  const found: Tokens = { gateway: [], agent: [], broker: [] };
  for (const [index, runs] of plan.runs.toReversed().entries()) {
    const costs = await measureLoad(bench, stack, model, plan, runs, index === 0 ? plan.warmUpMs : 0, cores);
    for (const part of PARTS) found[part].unshift({ load: runs, costs: costs[part] });
  }
  return found;
}

async function measureLoad(
  bench: Bench,
  stack: Stack,
  model: TokenServer,
  { tokensPerSecond, tokens, settleMs, slices, sliceMs }: TokensPlan,
  runs: number,
  warmUpMs: number,
  cores: CoreWatch,
): Promise<Record<Part, number[]>> {
  const epochMicros = monotonicMicros();
  await model.ask({ type: 'paced', tokensPerSecond, tokens, epochMicros });
  const askers = await Askers.connect({
    name: `growth-${runs}`,
    port: stack.gateways[0]?.ports.http as number,
    count: runs,
    epochMicros,
    tokensPerAnswer: tokens,
    token: (sub) => stack.token({ sub }),
    asked: () => () => undefined,
  });
  bench.defer(() => askers.stop());
  bench.say(`${runs} answers at once`);
  await askers.startSpread(settleMs);
  await askers.collect(warmUpMs + settleMs);
  const costs: Record<Part, number[]> = { gateway: [], agent: [], broker: [] };
  const pids = { gateway: stack.gateways[0]?.pid, agent: stack.agents[0]?.pid, broker: stack.nats.pid };
  const stop = cores.start();
  for (let slice = 0; slice < slices; slice += 1) {
    const before = PARTS.map((part) => cpuSeconds(pids[part] as number));
    // On a machine that is busy with others a slice may pass without a token; it is then longer.
    let length = 0;
    for (let waits = 0; length === 0 && waits < MOST_WAITS; waits += 1)
      length = (await askers.collect(sliceMs)).length;
    if (length === 0) throw new Error(`no token came for ${MOST_WAITS * sliceMs} ms`);
    for (const [index, part] of PARTS.entries())
      costs[part].push(((cpuSeconds(pids[part] as number) - (before[index] as number)) * 1e6) / length);
  }
  stop();
  askers.stop();
  return costs;
}
