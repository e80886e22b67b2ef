/** What a connection costs that is signed in and says nothing: memory, and CPU. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Figure, FigureResult, Size } from '../bench.ts';
import { openChat } from '../load/chat-socket.ts';
import { inFlight } from '../load/in-flight.ts';
import { person } from '../load/person.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import type { Memory } from '../measure/proc.ts';
import { fineCpuSeconds } from '../measure/process-meter.ts';
import { settledMemory } from '../measure/settled.ts';
import { slope } from '../measure/slope.ts';
import { startRawPeer } from '../peers/raw-sockets.ts';
import { startMeasuredStack } from '../stack.ts';

/** Sockets at which memory is read; the first warms the code up and is the zero of the rest. */
const STEPS: Record<Size, number[]> = {
  tiny: [20, 100, 200],
  quick: [200, 1_000, 2_000, 3_000, 4_000, 5_000],
  // A process may open 20,000 files here.
  full: [200, 1_000, 5_000, 9_000, 13_500, 18_000],
};
const IDLE_MS: Record<Size, number> = { tiny: 500, quick: 5_000, full: 10_000 };
/** Connections being opened at once. */
const OPENING = 32;

interface Reading extends Memory {
  sockets: number;
}

type Open = (index: number) => Promise<{ drop(): void }>;

export const idle: Figure = {
  name: 'idle',
  title: 'Idle authenticated chat-v1 connections',
  async run(bench): Promise<FigureResult> {
    const cores = new CoreWatch();
    const natter = await measureNatter(bench, cores);
    const raw = await measureRaw(bench, cores);
    const rss = growth(natter.readings, 'rss');
    const rawRss = growth(raw.readings, 'rss');
    const flat = perConnection(natter.readings, -1) / perConnection(natter.readings, 1);
    const largest = natter.readings.at(-1)?.sockets ?? 0;
    return {
      measurements: [
        {
          id: 'idle.rss',
          label: `RSS per connection, slope up to ${largest}`,
          value: rss,
          unit: 'B',
          why: `of it raw uWebSockets.js ${Math.round(rawRss)} B; the rest is objects of the session and garbage not yet collected`,
        },
        { id: 'idle.pss', label: 'PSS per connection', value: growth(natter.readings, 'pss'), unit: 'B' },
        { id: 'idle.raw-rss', label: 'the same, raw uWebSockets.js', value: rawRss, unit: 'B' },
        {
          id: 'idle.flat',
          label: `per connection at ${largest}, ÷ at ${natter.readings[1]?.sockets}`,
          value: flat,
          unit: '×',
        },
        { id: 'idle.cpu', label: 'CPU per connection', value: natter.cpuMicros, unit: 'µs/s' },
        { id: 'idle.raw-cpu', label: 'the same, raw uWebSockets.js', value: raw.cpuMicros, unit: 'µs/s' },
      ],
      cores: cores.use(),
      details: { natter, raw },
    };
  },
};

async function measureNatter(bench: Bench, cores: CoreWatch) {
  const stack = await startMeasuredStack(bench, 'gateway');
  const port = stack.gateways[0]?.ports.http as number;
  const largest = STEPS[bench.size].at(-1) as number;
  bench.say(`signing ${largest} tokens`);
  // Everybody is a person of their own: the gateway keeps something for each of them.
  const tokens: string[] = [];
  for (let user = 0; user < largest; user += 1) tokens.push(await stack.token(person(user)));
  return measure(bench, cores, 'Natter', stack.gateways[0]?.pid as number, (index) =>
    openChat({ port, token: tokens[index] as string }),
  );
}

async function measureRaw(bench: Bench, cores: CoreWatch) {
  const peer = await startRawPeer(bench);
  return measure(bench, cores, 'raw uWebSockets.js', peer.pid, () => peer.open());
}

/** Opens step by step and reads memory at each; then watches the CPU; then drops all. */
async function measure(bench: Bench, cores: CoreWatch, name: string, pid: number, open: Open) {
  const sockets: { drop(): void }[] = [];
  const readings: Reading[] = [];
  for (const step of STEPS[bench.size]) {
    const from = sockets.length;
    await inFlight(step - from, OPENING, async (index) => {
      sockets.push(await open(from + index));
    });
    const reading = { sockets: step, ...(await settledMemory(pid)) };
    readings.push(reading);
    bench.say(`${name}: ${step} sockets, RSS ${(reading.rss / 1e6).toFixed(1)} MB`);
  }
  const stop = cores.start();
  const [cpuBefore, begin] = [fineCpuSeconds(pid), performance.now()];
  await sleep(IDLE_MS[bench.size]);
  const seconds = (performance.now() - begin) / 1_000;
  const cpuMicros = ((fineCpuSeconds(pid) - cpuBefore) * 1e6) / seconds / sockets.length;
  stop();
  for (const socket of sockets) socket.drop();
  return { readings, cpuMicros };
}

function growth(readings: Reading[], what: 'rss' | 'pss'): number {
  return slope(readings.slice(1).map((reading) => ({ x: reading.sockets, y: reading[what] })));
}

/** RSS above the first reading for each connection since, at reading `at`. */
function perConnection(readings: Reading[], at: number): number {
  const first = readings[0] as Reading;
  const reading = readings.at(at) as Reading;
  return (reading.rss - first.rss) / (reading.sockets - first.sockets);
}
