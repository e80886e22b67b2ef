/** Token latency of Natter and of peers over the same model, one after the other in each round. */
import type { Bench } from '../bench.ts';
import { monotonicMicros } from '../measure/clock.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import { type Distribution, distribution } from '../measure/samples.ts';
import { until } from '../measure/until.ts';
import type { TokenServer } from '../token-server.ts';
import { Askers } from './askers.ts';

/** Something that answers chat-v1's questions. */
export interface ChatSide {
  name: string;
  title: string;
  port: number;
  /** Whose CPU counts, together. */
  pids: readonly number[];
  token(sub: string): Promise<string> | string;
}

export interface TurnsPlan {
  streams: number;
  tokensPerSecond: number;
  /** Of one answer; then the person asks again. */
  tokens: number;
  warmUpMs: number;
  /** The measured part of a turn. */
  sliceMs: number;
  rounds: number;
}

export interface Turn {
  /** In microseconds. */
  latency: Distribution;
  /** For each token, of all its processes. */
  cpuMicros: number;
}

/** A run goes on for a while when nobody listens any more. */
const DRAIN_MS = 60_000;

/** What each side did, by its name, in the order of the rounds. */
export async function chatsInTurn(
  bench: Bench,
  model: TokenServer,
  sides: readonly ChatSide[],
  plan: TurnsPlan,
): Promise<Map<string, Turn[]>> {
  const found = new Map(sides.map(({ name }): [string, Turn[]] => [name, []]));
  for (let round = 0; round < plan.rounds; round += 1) {
    // A B, B A: what drifts during the run meets all alike.
    for (const side of round % 2 === 0 ? sides : sides.toReversed())
      found.get(side.name)?.push(await turn(bench, model, side, plan, round));
    bench.say(`${plan.streams} streams in turn: round ${round + 1} of ${plan.rounds}`);
  }
  return found;
}

/** From the first question to the model's last token, so that the next side has the machine alone. */
async function turn(
  bench: Bench,
  model: TokenServer,
  side: ChatSide,
  plan: TurnsPlan,
  round: number,
): Promise<Turn> {
  const { streams, tokensPerSecond, tokens } = plan;
  const epochMicros = monotonicMicros();
  await model.ask({ type: 'paced', tokensPerSecond, tokens, epochMicros });
  const askers = await Askers.connect({
    name: `turn-${round}-of-${streams}`,
    port: side.port,
    count: streams,
    epochMicros,
    tokensPerAnswer: tokens,
    token: async (sub) => side.token(sub),
    asked: () => () => undefined,
  });
  bench.defer(() => askers.stop());
  // Over the length of an answer, so that answers end and begin all the time.
  await askers.startSpread((1_000 * tokens) / tokensPerSecond);
  await askers.collect(plan.warmUpMs);
  const used = () => side.pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const before = used();
  const latency = distribution(await askers.collect(plan.sliceMs));
  const cpuMicros = ((used() - before) * 1e6) / latency.count;
  askers.stop();
  await until(
    DRAIN_MS,
    'the model has written its last token',
    async () => (await model.ask({ type: 'streams' })) === 0,
  );
  return { latency, cpuMicros };
}
