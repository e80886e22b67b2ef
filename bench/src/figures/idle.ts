/** What a connection costs that is signed in and says nothing: memory, and CPU. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
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
  quick: [200, 800, 1_400, 2_000],
  // A process may open 20,000 files here.
  full: [200, 1_000, 5_000, 9_500, 13_500, 18_000],
};
/** V8 has collected what connecting left behind: that is no cost of being idle. */
const CALM_MS: Record<Size, number> = { tiny: 0, quick: 0, full: 40_000 };
/** In full two periods of the heartbeat, whose pings are most of what an idle connection costs. */
const IDLE_MS: Record<Size, number> = { tiny: 500, quick: 2_000, full: 60_000 };
/** How long memory must not change; in full a gateway has then collected what connecting left behind. */
const STILL_MS: Record<Size, number> = { tiny: 500, quick: 500, full: 6_000 };
/** Where garbage was collected just before. */
const COLLECTED_STILL_MS = 500;
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
}

interface Watched extends Series {
  /** Of one idle connection, in µs for each second. */
  cpuMicros: number;
}

/** `left`: as V8 and the gateway leave it. */
type Garbage = 'left' | 'collected';

/** What one way of looking at it has found. */
interface Part {
  measurements: Measurement[];
  details: Record<string, unknown>;
}

export const idle: Figure = {
  name: 'idle',
  title: 'Idle authenticated chat-v1 connections',
  async run(bench): Promise<FigureResult> {
    const cores = new CoreWatch();
    // Of a few thousand sockets most is garbage: a quick run looks at what is in use.
    const isQuick = bench.size === 'quick';
    const parts = [
      ...(isQuick ? [] : [await atRest(bench, cores)]),
      // In processes of their own: memory that others have left would be used again unseen.
      await inUse(bench),
      ...(isQuick && bench.peers.length === 0 ? [] : [await inRooms(bench, cores)]),
      ...(isQuick ? [] : [await inRoomsOfOne(bench)]),
    ];
    return {
      measurements: parts.flatMap(({ measurements }) => measurements),
      cores: cores.use(),
      details: Object.assign({}, ...parts.map(({ details }) => details)),
    };
  },
};

async function atRest(bench: Bench, cores: CoreWatch): Promise<Part> {
  const natter = await withCpu(bench, cores, await startNatter(bench));
  const raw = await withCpu(bench, cores, await startRaw(bench));
  const most = natter.readings.at(-1)?.sockets;
  return {
    measurements: [
      bytes('rss', `RSS per connection, up to ${most}`, growth(natter, 'rss')),
      bytes('pss', 'PSS per connection', growth(natter, 'pss')),
      bytes('raw-rss', 'RSS, raw uWebSockets.js', growth(raw, 'rss')),
      cpu('cpu', 'CPU per connection', natter),
      cpu('raw-cpu', 'the same, raw uWebSockets.js', raw),
    ],
    details: { natter, raw },
  };
}

async function inUse(bench: Bench): Promise<Part> {
  const collected = await measure(bench, await startNatter(bench), 'collected');
  const rawCollected = await measure(bench, await startRaw(bench), 'collected');
  return {
    measurements: [
      bytes('collected', 'RSS per connection, garbage collected', growth(collected, 'rss')),
      bytes('heap', 'of it JavaScript objects', growth(collected, 'heap')),
      bytes('raw-collected', 'RSS, raw uWebSockets.js, garbage collected', growth(rawCollected, 'rss')),
      ratio('flat', 'growth of JavaScript objects, upper half ÷ all', flatness(collected)),
    ],
    details: { collected, rawCollected },
  };
}

async function inRooms(bench: Bench, cores: CoreWatch): Promise<Part> {
  const { natter, peers } = await startInRooms(bench);
  const ours = await withCpu(bench, cores, natter);
  const rss = growth(ours, 'rss');
  const measurements = [
    bytes('room-rss', 'RSS per connection, in rooms of ten', rss),
    cpu('room-cpu', 'CPU per connection, in rooms of ten', ours),
  ];
  const series: Record<string, Series> = { natter: ours };
  for (const peer of peers) {
    const { name, title } = peer;
    // Without CPU: peers get no pings, which would be most of it.
    const theirs = await measure(bench, peer, 'left');
    series[name] = theirs;
    measurements.push(
      bytes(`${name}-rss`, `the same, ${title}`, growth(theirs, 'rss')),
      ratio(`vs-${name}`, `Natter ÷ ${title}`, rss / growth(theirs, 'rss')),
    );
  }
  return { measurements, details: { inRooms: series } };
}

async function inRoomsOfOne(bench: Bench): Promise<Part> {
  const alone = await measure(bench, await startInRoomsOfOne(bench), 'left');
  const label = `RSS per connection, ${alone.readings.at(-1)?.sockets} rooms of one`;
  return { measurements: [bytes('rooms-of-one-rss', label, growth(alone, 'rss'))], details: { alone } };
}

function bytes(id: string, label: string, value: number): Measurement {
  return { id: `idle.${id}`, label, value, unit: 'B' };
}

function cpu(id: string, label: string, { cpuMicros }: Watched): Measurement {
  return { id: `idle.${id}`, label, value: cpuMicros, unit: 'µs/s' };
}

function ratio(id: string, label: string, value: number): Measurement {
  return { id: `idle.${id}`, label, value, unit: '×' };
}

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

/** Opens step by step and reads memory at each; leaves all open. */
async function open(bench: Bench, subject: Subject, garbage: Garbage) {
  const { pid } = subject;
  const sockets: { drop(): void }[] = [];
  const readings: Reading[] = [];
  for (const step of subject.steps ?? STEPS[bench.size]) {
    const from = sockets.length;
    await inFlight(step - from, OPENING, async (index) => {
      sockets.push(await subject.open(from + index));
    });
    const heap = garbage === 'collected' ? await subject.collectGarbage() : null;
    const stillMs = garbage === 'collected' ? COLLECTED_STILL_MS : STILL_MS[bench.size];
    const reading = { sockets: step, heap, ...(await settledMemory(pid, stillMs)) };
    readings.push(reading);
    const note = garbage === 'collected' ? ', garbage collected' : '';
    bench.say(`${subject.title}: ${step} sockets, RSS ${(reading.rss / 1e6).toFixed(1)} MB${note}`);
  }
  return { sockets, readings };
}

/** Memory step by step; then drops all. */
async function measure(bench: Bench, subject: Subject, garbage: Garbage): Promise<Series> {
  const { sockets, readings } = await open(bench, subject, garbage);
  for (const socket of sockets) socket.drop();
  return { readings };
}

/** The same, with the CPU of those who are idle. */
async function withCpu(bench: Bench, cores: CoreWatch, subject: Subject): Promise<Watched> {
  const { sockets, readings } = await open(bench, subject, 'left');
  const cpuMicros = await idleCpu(bench, cores, subject.pid, sockets.length);
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
