/** Whether frames of strangers can bring down whoever reads them: codecs alone, then a whole gateway. */
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { type FuzzedGateway, fuzzGateway } from '../fuzz/fuzz-gateway.ts';
import { type Fuzzed, FuzzLane } from '../fuzz/fuzz-lane.ts';
import { DIALECT_NAMES, READER_NAMES } from '../fuzz/targets/registry.ts';
import { CORE } from '../measure/cores.ts';

interface Plan {
  /** Of each dialect. */
  frames: number;
  /** Of each other reader of what strangers write. */
  readerFrames: number;
  /** Of each dialect, over sockets. */
  socketFrames: number;
}

const PLANS: Record<Size, Plan> = {
  tiny: { frames: 20_000, readerFrames: 10_000, socketFrames: 500 },
  quick: { frames: 20_000, readerFrames: 5_000, socketFrames: 5_000 },
  full: { frames: 10_000_000, readerFrames: 300_000, socketFrames: 100_000 },
};
const MB = 1e6;

export const fuzz: Figure = {
  name: 'fuzz',
  title: 'Hostile frames',
  onlyByName: true,
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    bench.say(`--seed ${bench.seed}`);
    const codecs = await fuzzCodecs(bench, plan);
    const gateway = await fuzzGateway(bench, plan.socketFrames);
    bench.say(`${plan.socketFrames} frames of each wire over sockets in ${gateway.seconds.toFixed(0)} s`);
    const measurements = [...ofCodecs(bench, codecs), ...ofGateway(gateway)];
    return { measurements, cores: [], details: { seed: bench.seed, plan, codecs, gateway } };
  },
};

/** Two at once, a core each. */
async function fuzzCodecs(bench: Bench, { frames, readerFrames }: Plan): Promise<Fuzzed[]> {
  const jobs = [
    ...DIALECT_NAMES.map((target) => ({ target, frames })),
    ...READER_NAMES.map((target) => ({ target, frames: readerFrames })),
  ];
  const done: Fuzzed[] = [];
  const lane = async (core: number) => {
    const lane = new FuzzLane(bench, core);
    // From the end: rooms-v1, the slowest, is the last of the dialects, and must not be left alone.
    for (let job = jobs.pop(); job !== undefined; job = jobs.pop()) {
      const fuzzed = await lane.fuzz(job);
      bench.say(`${fuzzed.frames} frames of ${fuzzed.name}, ${fuzzed.perCoreSecond}/s of a core`);
      done.push(fuzzed);
    }
    await lane.end();
  };
  await Promise.all([lane(CORE.underTest), lane(CORE.load)]);
  return done;
}

function ofCodecs(bench: Bench, codecs: Fuzzed[]): Measurement[] {
  const dialects = DIALECT_NAMES.map((name) => codecs.find((one) => one.name === name) as Fuzzed);
  const sum = (value: (fuzzed: Fuzzed) => number) => codecs.reduce((all, each) => all + value(each), 0);
  const slowest = codecs.reduce((one, other) => (other.slowest.ms > one.slowest.ms ? other : one));
  // Only a full run says whether its goal, 10 million, was met.
  const id = bench.size === 'full' ? 'frames' : `frames-${bench.size}`;
  return [
    row(id, 'frames of each dialect', Math.min(...dialects.map(({ frames }) => frames))),
    row(
      'crashes',
      'frames that a reader threw at, or died of',
      sum(({ crashes, died }) => crashes + (died === null ? 0 : 1)),
      '',
      whys(codecs, 'crash'),
    ),
    row(
      'uncaught',
      'errors that nobody caught',
      sum(({ uncaught }) => uncaught.length),
    ),
    row(
      'out-of-bounds',
      'frames that were read to something out of bounds',
      sum(({ outOfBounds }) => outOfBounds),
      '',
      whys(codecs, 'bounds'),
    ),
    row(
      'slow',
      'frames that took 50 × the median of their size, and 1 µs a byte',
      sum(({ slow }) => slow),
      '',
      whys(codecs, 'slow'),
    ),
    row(
      'slowest',
      `the slowest frame, ${slowest.slowest.bytes} B of ${slowest.name}`,
      slowest.slowest.ms,
      'ms',
    ),
    ...dialects.map(({ name, perCoreSecond }) =>
      row(`rate-${name}`, `frames made and read, ${name}`, perCoreSecond, '/s'),
    ),
  ];
}

function ofGateway({ frames, faults, control, rss }: FuzzedGateway): Measurement[] {
  return [
    row('socket-frames', 'frames of each wire over sockets', Math.min(...Object.values(frames))),
    row('socket-faults', 'errors of the gateway meanwhile', faults.length, '', faults[0]?.slice(0, 300)),
    row('socket-answered', 'answers to an honest client meanwhile', control.answered),
    row('socket-slowest', 'its slowest answer', control.slowestMs, 'ms'),
    row('socket-rss', 'memory of the gateway, at most', rss.most / MB, 'MB'),
  ];
}

function whys(codecs: Fuzzed[], what: string): string | undefined {
  const findings = codecs.flatMap(({ name, findings }) => findings.map((one) => ({ name, ...one })));
  const first = findings.find((one) => one.what === what);
  return first && `${first.name}: ${first.why}; the frame is in the JSON, in base64`;
}

function row(id: string, label: string, value: number, unit = '', why?: string): Measurement {
  return { id: `fuzz.${id}`, label, value, unit, ...(why === undefined ? {} : { why }) };
}
