/** What a log line costs that 200 readers get, half of them over SSE, while one more doesn't read. */
import { LOG_LINE_BYTES } from '@natter/proto';
import type { Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { COUNT_MARK, IN_MARK, STALLED } from '../load/log-marks.ts';
import { type LogSide, startLogSides } from '../load/log-sides.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { medianInterval } from '../measure/interval.ts';

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
  quick: { each: 100, burst: 500, single: 60, rounds: 6, warmUp: 3 },
  full: { each: 100, burst: 1_000, single: 300, rounds: 17, warmUp: 8 },
};
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
/** By the values of STALLED. */
const TOLD = ['not told', 'a gap frame', 'closed', 'has every line'] as const;

const KINDS = ['burst', 'single'] as const;
type Kind = (typeof KINDS)[number];

interface Round {
  side: string;
  kind: Kind;
  /** Deliveries for each core second. */
  perCoreSecond: number;
}

export const logs: Figure = {
  name: 'logs',
  title: 'Log lines',
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const sides = await startLogSides(bench, plan.each, SOFT_BUFFER_BYTES);
    const cores = new CoreWatch();
    bench.say('12 MiB fill the buffers of the one that does not read');
    for (const side of sides) {
      // With the one that stops.
      while ((await side.readers({ type: 'reached' })) < side.count + 1)
        await side.write(1, LINE_CHARS, IN_MARK);
      await deliver(side, FILL.waves * FILL.lines, FILL.chars, FILL.lines);
    }
    for (let warm = 0; warm < plan.warmUp; warm += 1)
      for (const side of sides) for (const kind of KINDS) await measure(side, kind, plan, null);
    bench.say(`${plan.rounds} rounds with ${2 * plan.each} readers`);
    const rounds: Round[] = [];
    for (let index = 0; index < plan.rounds; index += 1) {
      const turns = sides.flatMap((side) => KINDS.map((kind) => ({ side, kind })));
      // A B, B A: what drifts during the run meets all alike.
      for (const { side, kind } of index % 2 === 0 ? turns : turns.reverse())
        rounds.push(await measure(side, kind, plan, cores));
    }
    const perRound = plan.burst + plan.single;
    const lines = FILL.waves * FILL.lines + (plan.warmUp + plan.rounds) * perRound;
    const stalled: Record<string, string> = {};
    for (const { name, readers } of sides)
      stalled[name] = TOLD[await readers({ type: 'stalled', lines })] as string;
    return {
      measurements: [
        row(valuesOf(rounds, 'natter', 'burst'), 'deliveries', label(plan)),
        row(valuesOf(rounds, 'natter', 'single'), 'single', 'the same, one line at a time'),
        {
          id: 'logs.untold',
          label: 'readers that lost lines and were not told',
          // Each of the others has had every line, or a round had failed.
          value: stalled.natter === TOLD[STALLED.untold] ? 1 : 0,
          unit: '',
        },
        ...sides.slice(1).flatMap((side) => besidePeer(side, rounds, `${stalled[side.name]}`)),
      ],
      cores: cores.use(),
      details: { plan, fill: FILL, lineChars: LINE_CHARS, stalled, rounds },
    };
  },
};

async function measure(side: LogSide, kind: Kind, plan: Plan, watch: CoreWatch | null): Promise<Round> {
  const [wanted, atOnce] = kind === 'burst' ? [plan.burst, plan.burst] : [plan.single, 1];
  const stop = watch?.start();
  const before = side.cpu();
  await deliver(side, wanted, LINE_CHARS, atOnce);
  const used = side.cpu() - before;
  stop?.();
  return { side: side.name, kind, perCoreSecond: (side.count * wanted) / used };
}

/** Writes so many lines, `atOnce` of them before everybody has those. */
async function deliver(side: LogSide, wanted: number, chars: number, atOnce: number): Promise<void> {
  await side.readers({ type: 'count', bytes: FRAME_BYTES + chars });
  for (let done = 0; done < wanted; done += atOnce) {
    await side.write(Math.min(atOnce, wanted - done), chars, COUNT_MARK);
    await side.readers({ type: 'wait', lines: Math.min(done + atOnce, wanted) });
  }
}

function label({ each }: Plan): string {
  return `${each} readers over WebSocket, ${each} over SSE, 1 that doesn't read: deliveries per core second`;
}

function besidePeer({ name, title }: LogSide, rounds: Round[], stalled: string): Measurement[] {
  return KINDS.flatMap((kind) => {
    const prefix = kind === 'single' ? 'single-' : '';
    const theirs = valuesOf(rounds, name, kind);
    const ratios = valuesOf(rounds, 'natter', kind).map((own, round) => own / (theirs[round] as number));
    const what = kind === 'single' ? 'one line at a time' : `who does not read: ${stalled}`;
    return [
      row(theirs, `${prefix}${name}`, `${title}, ${what}`),
      row(ratios, `${prefix}vs-${name}`, `Natter ÷ ${title}, per round`, '×'),
    ];
  });
}

function valuesOf(all: Round[], name: string, wanted: Kind): number[] {
  const rounds = all.filter(({ side, kind }) => side === name && kind === wanted);
  return rounds.map(({ perCoreSecond }) => perCoreSecond);
}

function row(values: number[], what: string, label: string, unit = '/s'): Measurement {
  const { median, ...interval } = medianInterval(values);
  return { id: `logs.${what}`, label, value: median, unit, interval };
}
