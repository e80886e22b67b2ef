/** What a log line costs that 200 readers get, half of them over SSE, while one more doesn't read. */
import { LOG_LINE_BYTES } from '@natter/proto';
import type { Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { HelperProcess } from '../helper-process.ts';
import { LogLines } from '../load/log-lines.ts';
import { COUNT_MARK, IN_MARK } from '../load/log-marks.ts';
import type { LogReadersRequest } from '../load/log-readers/main.ts';
import { connectAs } from '../load/service-bus.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { CORE } from '../measure/cores.ts';
import { medianInterval } from '../measure/interval.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import { startMeasuredStack } from '../stack.ts';

interface Plan {
  /** Readers over WebSocket, and as many over SSE. */
  each: number;
  /** Lines of a round that are written as fast as the broker takes them. */
  burst: number;
  /** Lines of a round of which the next is written when everybody has the one before. */
  single: number;
  rounds: number;
  /** Rounds before that: until the code is optimised. */
  warmUp: number;
}

const PLANS: Record<Size, Plan> = {
  tiny: { each: 5, burst: 100, single: 10, rounds: 2, warmUp: 1 },
  quick: { each: 100, burst: 500, single: 100, rounds: 9, warmUp: 6 },
  full: { each: 100, burst: 1_000, single: 300, rounds: 25, warmUp: 12 },
};
const KEY = 'a-key-of-the-benchmark';
const SERVICE = 'bench';
/** `{"log":"…"}` of a line without its text. */
const FRAME_BYTES = '{"log":""}'.length;
const LINE_CHARS = 128;
/**
 * What the one that doesn't read is sent before: 12 MiB, of which the kernel takes at most 6 MB
 * (tcp_wmem and tcp_rmem), so that the gateway's soft limit is passed. Few at once: the others read
 * on a core that does other things too, and must not come near the limit.
 */
const FILL = { waves: 26, lines: 32, chars: 15 * 1024 };
const SOFT_BUFFER_BYTES = 64 * LOG_LINE_BYTES;
const ASK_MS = 60_000;
const TOLD = ['not told', 'a gap frame', 'closed'] as const;

const KINDS = ['burst', 'single'] as const;
type Kind = (typeof KINDS)[number];

interface Round {
  kind: Kind;
  /** Deliveries for each core second. */
  perCoreSecond: number;
}

export const logs: Figure = {
  name: 'logs',
  title: 'Log lines',
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const stack = await startMeasuredStack(bench, 'gateway', {
      LOGS_API_KEY: KEY,
      // Only lines of the benchmark.
      NATTER_SHIPPED_LOG_LEVEL: 'silent',
      NATTER_SOFT_BUFFER_BYTES: String(SOFT_BUFFER_BYTES),
    });
    const gateway = stack.gateways[0]?.pid as number;
    const port = stack.gateways[0]?.ports.http as number;
    const entry = `${import.meta.dirname}/../load/log-readers/main.ts`;
    const helper = await HelperProcess.start<LogReadersRequest, number>('readers of logs', entry);
    bench.defer(() => helper.stop());
    bench.cores.pin(helper.pid, CORE.load);
    const readers = (request: LogReadersRequest) => helper.ask(request, ASK_MS);
    const bus = await connectAs('log-writer', stack.nats);
    bench.defer(() => bus.close());
    const lines = new LogLines(bus, SERVICE);

    const count = await readers({
      type: 'open',
      port,
      key: KEY,
      query: `service=${SERVICE}`,
      each: plan.each,
    });
    // With the one that stops.
    while ((await readers({ type: 'reached' })) < count + 1) await lines.write(1, LINE_CHARS, IN_MARK);
    bench.say('12 MiB fill the buffers of the one that does not read');
    const deliver = async (wanted: number, chars: number, atOnce: number) => {
      await readers({ type: 'count', bytes: FRAME_BYTES + chars });
      for (let done = 0; done < wanted; done += atOnce) {
        await lines.write(Math.min(atOnce, wanted - done), chars, COUNT_MARK);
        await readers({ type: 'wait', lines: Math.min(done + atOnce, wanted) });
      }
    };
    await deliver(FILL.waves * FILL.lines, FILL.chars, FILL.lines);

    const cores = new CoreWatch();
    const round = async (kind: Kind, watch: CoreWatch | null): Promise<Round> => {
      const [wanted, atOnce] = kind === 'burst' ? [plan.burst, plan.burst] : [plan.single, 1];
      const stop = watch?.start();
      const before = cpuSeconds(gateway);
      await deliver(wanted, LINE_CHARS, atOnce);
      const used = cpuSeconds(gateway) - before;
      stop?.();
      return { kind, perCoreSecond: (count * wanted) / used };
    };
    for (let warm = 0; warm < plan.warmUp; warm += 1) for (const kind of KINDS) await round(kind, null);
    bench.say(`${plan.rounds} rounds with ${count} readers`);
    const rounds: Round[] = [];
    for (let index = 0; index < plan.rounds; index += 1) {
      // A B, B A: what drifts during the run meets both alike.
      const order = index % 2 === 0 ? KINDS : [...KINDS].reverse();
      for (const kind of order) rounds.push(await round(kind, cores));
    }
    const stalled = await readers({ type: 'stalled' });
    return {
      measurements: [
        deliveries('burst', 'logs.deliveries', label(plan), rounds),
        deliveries('single', 'logs.single', 'the same, one line at a time', rounds),
        {
          id: 'logs.untold',
          label: 'readers that lost lines and were not told',
          // Each of the others has had every line, or a round had failed.
          value: stalled === 0 ? 1 : 0,
          unit: '',
        },
      ],
      cores: cores.use(),
      details: { plan, fill: FILL, lineChars: LINE_CHARS, stalled: TOLD[stalled], rounds },
    };
  },
};

function label({ each }: Plan): string {
  return `${each} readers over WebSocket, ${each} over SSE, 1 that doesn't read: deliveries per core second`;
}

function deliveries(kind: Kind, id: string, label: string, all: Round[]): Measurement {
  const rounds = all.filter((round) => round.kind === kind);
  const { median, ...interval } = medianInterval(rounds.map(({ perCoreSecond }) => perCoreSecond));
  return { id, label, value: median, unit: '/s', interval };
}
