/** What a connection costs that is signed in and says nothing: memory, and CPU. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Figure, FigureResult, Size } from '../bench.ts';
import { openChat } from '../load/chat-socket.ts';
import { inFlight } from '../load/in-flight.ts';
import { person } from '../load/person.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { INSPECTOR_OPTIONS, Inspector } from '../measure/inspector.ts';
import type { Memory } from '../measure/proc.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import { settledMemory } from '../measure/settled.ts';
import { slope } from '../measure/slope.ts';
import { startRawPeer } from '../peers/raw-sockets.ts';
import { startMeasuredStack } from '../stack.ts';
import { startInRooms, startInRoomsOfOne } from './idle/in-rooms.ts';

/** Sockets at which memory is read; the first warms the code up and is the zero of the rest. */
const STEPS: Record<Size, number[]> = {
  tiny: [20, 60, 100, 200],
  quick: [200, 1_000, 2_000, 3_000],
  // A process may open 20,000 files here.
  full: [200, 1_000, 5_000, 9_500, 13_500, 18_000],
};
/** V8 has collected what connecting left behind: that is no cost of being idle. */
const CALM_MS: Record<Size, number> = { tiny: 0, quick: 0, full: 40_000 };
/** In full two periods of the heartbeat, whose pings are most of what an idle connection costs. */
const IDLE_MS: Record<Size, number> = { tiny: 500, quick: 2_000, full: 60_000 };
/** Connections being opened at once. */
const OPENING = 32;

/** Something that takes connections. */
export interface Subject {
  name: string;
  title: string;
  pid: number;
  /** Sockets at which memory is read; default STEPS. */
  steps?: readonly number[];
  open(index: number): Promise<{ drop(): void }>;
  /** Returns the bytes of its JavaScript objects, where it can tell. */
  collectGarbage(): Promise<number | null>;
}

interface Reading extends Memory {
  sockets: number;
  /** Bytes of JavaScript objects in use; null where garbage was not collected. */
  heap: number | null;
}

interface Series {
  readings: Reading[];
  /** Of one idle connection, in µs for each second; null where it was not watched. */
  cpuMicros: number | null;
}

export const idle: Figure = {
  name: 'idle',
  title: 'Idle authenticated chat-v1 connections',
  async run(bench): Promise<FigureResult> {
    const cores = new CoreWatch();
    const series = (subject: Subject, collected: boolean) =>
      measure(bench, cores, subject, collected, !collected);
    const natter = await series(await startNatter(bench), false);
    const raw = await series(await startRaw(bench), false);
    // Processes of their own: memory that others have left would be used again unseen.
    const collected = await series(await startNatter(bench), true);
    const rawCollected = bench.size === 'quick' ? null : await series(await startRaw(bench), true);
    const inRooms: [Subject, Series][] = [];
    for (const subject of await startInRooms(bench)) {
      // Peers get no pings in this time, which would be most of it.
      const watched = inRooms.length === 0;
      inRooms.push([subject, await measure(bench, cores, subject, false, watched)]);
    }
    // Thousands of rooms take longer than all the rest of a quick run.
    const alone =
      bench.size === 'quick'
        ? null
        : await measure(bench, cores, await startInRoomsOfOne(bench), false, false);
    const most = natter.readings.at(-1)?.sockets;
    const row = (id: string, label: string, value: number, unit = 'B') => ({
      id: `idle.${id}`,
      label,
      value,
      unit,
    });
    return {
      measurements: [
        {
          ...row('rss', `RSS per connection, up to ${most}`, growth(natter, 'rss')),
          why: `${Math.round(growth(collected, 'rss'))} B are in use, the rest is garbage not yet collected`,
        },
        row('pss', 'PSS per connection', growth(natter, 'pss')),
        row('raw-rss', 'RSS, raw uWebSockets.js', growth(raw, 'rss')),
        row('collected', 'RSS per connection, garbage collected', growth(collected, 'rss')),
        row('heap', 'of it JavaScript objects', growth(collected, 'heap')),
        ...(rawCollected === null
          ? []
          : [
              row('raw-collected', 'RSS, raw uWebSockets.js, garbage collected', growth(rawCollected, 'rss')),
            ]),
        row('flat', 'growth of JavaScript objects, upper half ÷ all', flatness(collected), '×'),
        row('cpu', 'CPU per connection', natter.cpuMicros ?? 0, 'µs/s'),
        row('raw-cpu', 'the same, raw uWebSockets.js', raw.cpuMicros ?? 0, 'µs/s'),
        ...inRooms.flatMap(([{ name, title }, theirs], index) => {
          const rss = growth(theirs, 'rss');
          if (index === 0) {
            return [
              row('room-rss', 'RSS per connection, in rooms of ten', rss),
              row('room-cpu', 'CPU per connection, in rooms of ten', theirs.cpuMicros ?? 0, 'µs/s'),
              ...(alone === null
                ? []
                : [
                    row(
                      'rooms-of-one-rss',
                      `RSS per connection, ${alone.readings.at(-1)?.sockets} rooms of one`,
                      growth(alone, 'rss'),
                    ),
                  ]),
            ];
          }
          const ratio = growth((inRooms[0] as [Subject, Series])[1], 'rss') / rss;
          return [
            row(`${name}-rss`, `the same, ${title}`, rss),
            row(`vs-${name}`, `Natter ÷ ${title}`, ratio, '×'),
          ];
        }),
      ],
      cores: cores.use(),
      details: {
        natter,
        raw,
        collected,
        rawCollected,
        alone,
        inRooms: Object.fromEntries(inRooms.map(([{ name }, readings]) => [name, readings])),
      },
    };
  },
};

async function startNatter(bench: Bench): Promise<Subject> {
  const stack = await startMeasuredStack(bench, 'gateway', { NODE_OPTIONS: INSPECTOR_OPTIONS });
  const gateway = stack.gateways[0];
  if (gateway === undefined) throw new Error('the stack has no gateway');
  const port = gateway.ports.http as number;
  // Everybody is a person of their own: the gateway keeps something for each of them.
  const tokens: string[] = [];
  for (let user = 0; user < (STEPS[bench.size].at(-1) as number); user += 1)
    tokens.push(await stack.token(person(user)));
  let inspector: Inspector | null = null;
  bench.defer(() => inspector?.close());
  return {
    name: 'natter',
    title: 'Natter',
    pid: gateway.pid,
    open: (index) => openChat({ port, token: tokens[index] as string }),
    collectGarbage: async () => {
      inspector ??= await Inspector.attach(gateway);
      return inspector.collectGarbage();
    },
  };
}

async function startRaw(bench: Bench): Promise<Subject> {
  return { name: 'raw', title: 'raw uWebSockets.js', ...(await startRawPeer(bench)) };
}

/** Opens step by step and reads memory at each; then watches the CPU, where that is `watched`; then drops all. */
async function measure(
  bench: Bench,
  cores: CoreWatch,
  subject: Subject,
  collected: boolean,
  watched: boolean,
): Promise<Series> {
  const { pid } = subject;
  const sockets: { drop(): void }[] = [];
  const readings: Reading[] = [];
  for (const step of subject.steps ?? STEPS[bench.size]) {
    const from = sockets.length;
    await inFlight(step - from, OPENING, async (index) => {
      sockets.push(await subject.open(from + index));
    });
    const heap = collected ? await subject.collectGarbage() : null;
    const reading = { sockets: step, heap, ...(await settledMemory(pid)) };
    readings.push(reading);
    const note = collected ? ', garbage collected' : '';
    bench.say(`${subject.title}: ${step} sockets, RSS ${(reading.rss / 1e6).toFixed(1)} MB${note}`);
  }
  const cpuMicros = !watched ? null : await idleCpu(bench, cores, pid, sockets.length);
  for (const socket of sockets) socket.drop();
  return { readings, cpuMicros };
}

async function idleCpu(bench: Bench, cores: CoreWatch, pid: number, sockets: number): Promise<number> {
  await sleep(CALM_MS[bench.size]);
  const stop = cores.start();
  const [cpu, begin] = [cpuSeconds(pid), performance.now()];
  await sleep(IDLE_MS[bench.size]);
  const micros = (cpuSeconds(pid) - cpu) * 1e6;
  stop();
  return micros / ((performance.now() - begin) / 1_000) / sockets;
}

/** Bytes for each connection, from the second reading on. */
function growth({ readings }: Series, what: 'rss' | 'pss' | 'heap', from = 1): number {
  return slope(readings.slice(from).map((reading) => ({ x: reading.sockets, y: reading[what] ?? 0 })));
}

/**
 * 1 where connections cost the same however many there are.
 *
 * Of JavaScript objects: RSS moves by pages of V8, a fifth of what 5,000 connections add.
 */
function flatness(series: Series): number {
  return growth(series, 'heap', Math.floor(series.readings.length / 2)) / growth(series, 'heap');
}
