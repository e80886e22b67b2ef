/** How fast everybody is back after a gateway was killed, and whether they missed anything. */
import type { Stack } from '@natter/testkit';
import type { Bench, Figure, FigureResult, Size } from '../bench.ts';
import { tokensOf } from '../load/bench-room.ts';
import { inFlight } from '../load/in-flight.ts';
import { RoomWatcher } from '../load/room-watcher.ts';
import { wholenessOf } from '../load/stamped-text.ts';
import { STAMP_CHARS } from '../load/token-frame.ts';
import { monotonicMicros } from '../measure/clock.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { CORE } from '../measure/cores.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import { type Distribution, distribution } from '../measure/samples.ts';
import { until } from '../measure/until.ts';
import { startMeasuredStack } from '../stack.ts';
import { startTokenServer } from '../token-server.ts';

interface Plan {
  /** Each room has one live run, and all connections watch one of them. */
  rooms: number;
  peoplePerRoom: number;
  /** Connections of each person, all in the same room. */
  devices: number;
  tokensPerSecond: number;
  /** Of one answer: long enough to be going on when everybody is back. */
  tokens: number;
  kills: number;
}

const PLANS: Record<Size, Plan> = {
  tiny: { rooms: 4, peoplePerRoom: 3, devices: 2, tokensPerSecond: 10, tokens: 60, kills: 1 },
  quick: { rooms: 200, peoplePerRoom: 5, devices: 5, tokensPerSecond: 4, tokens: 40, kills: 1 },
  full: { rooms: 200, peoplePerRoom: 5, devices: 5, tokensPerSecond: 4, tokens: 60, kills: 5 },
};
/** Connections being opened at once; the server's queue for new ones has 512 places. */
const OPENING = 256;
/** The same when they join: the broker writes each new member to the disk. */
const JOINING = 64;
/** Tokens everybody has before the gateway is killed, so that everybody has a cursor. */
const HEARD = 3;
/** How long it is looked at what the live runs alone cost. */
const LIVE_MS = 1_000;
/** The first run waits for a model that nobody has asked before. */
const HEARD_MS = 30_000;
/** Addresses the people come from, 127.0.0.2 and up. */
const ADDRESSES = 8;

interface Storm {
  /** From the kill until the new gateway says that it is ready. */
  restartSeconds: number;
  /** From then until each was told that it goes on, in microseconds. */
  back: Distribution;
  /** CPU seconds of each part from then until the last was back. */
  cpu: Record<string, number>;
  /** Cores that each part used in the second before the kill, when the runs were all there was. */
  liveCores: Record<string, number>;
  lost: number;
  doubled: number;
  /** Connections that were told that something is missing. */
  unrecovered: number;
  /** Connections that didn't get exactly one last frame. */
  wrongEnds: number;
}

export const resumeStorm: Figure = {
  name: 'resume-storm',
  title: 'Everybody resumes after a killed gateway',
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const model = await startTokenServer(bench);
    const { tokensPerSecond, tokens } = plan;
    await model.ask({ type: 'paced', tokensPerSecond, tokens, epochMicros: monotonicMicros() });
    const stack = await startMeasuredStack(bench, 'everything', model.env);
    const people = await joinAll(bench, stack, plan);
    const cores = new CoreWatch();
    const storms: Storm[] = [];
    for (let kill = 1; kill <= plan.kills; kill += 1)
      storms.push(await storm(bench, stack, people, plan, `question-${kill}`, cores));
    const worst = (value: (storm: Storm) => number) => Math.max(...storms.map(value));
    const sum = (value: (storm: Storm) => number) => storms.reduce((all, each) => all + value(each), 0);
    const row = (id: string, label: string, value: number, unit = '') => ({
      id: `resume-storm.${id}`,
      label,
      value,
      unit,
    });
    const parts = Object.keys(storms[0]?.cpu ?? {});
    const micros = (part: string) => (worst(({ cpu }) => cpu[part] ?? 0) * 1e6) / people.length;
    const spent = parts.map((part) => `${part} ${Math.round(micros(part))}`).join(', ');
    const live = worst(({ liveCores }) => Object.values(liveCores).reduce((all, each) => all + each, 0));
    return {
      measurements: [
        {
          ...row('back', `all ${people.length} back after the restart`, worst((s) => s.back.max) / 1e6, 's'),
          why: `µs of CPU for each resume: ${spent}; before the kill the live runs alone took ${live.toFixed(2)} cores of those they share`,
        },
        row('back-p50', 'half of them', worst((s) => s.back.p50) / 1e6, 's'),
        row(
          'restart',
          'from the kill until the gateway is ready',
          worst((s) => s.restartSeconds),
          's',
        ),
        row(
          'lost',
          `tokens lost, of ${plan.rooms} live runs, over all connections`,
          sum((s) => s.lost),
        ),
        row(
          'doubled',
          'tokens doubled',
          sum((s) => s.doubled),
        ),
        row(
          'unrecovered',
          'connections told of a gap',
          sum((s) => s.unrecovered),
        ),
        row(
          'wrong-ends',
          'connections without exactly one end',
          sum((s) => s.wrongEnds),
        ),
        ...parts.map((part) => row(`cpu-${part}`, `CPU per resume, ${part}`, micros(part), 'µs')),
      ],
      cores: cores.use(),
      details: { plan, storms },
    };
  },
};

/** All connections; the first `plan.rooms` are in a room each, and are those that ask. */
async function joinAll(bench: Bench, stack: Stack, plan: Plan): Promise<RoomWatcher[]> {
  const port = stack.gateways[0]?.ports.http as number;
  const persons = plan.rooms * plan.peoplePerRoom;
  const count = persons * plan.devices;
  bench.say(`${count} connections of ${persons} people join ${plan.rooms} rooms`);
  const tokens = await tokensOf(stack, persons);
  const people = Array.from({ length: count }, (_, index) => {
    const from = `127.0.0.${2 + (index % ADDRESSES)}`;
    const token = tokens[index % persons] as string;
    return new RoomWatcher({ port, token, roomId: `room-${index % plan.rooms}`, from });
  });
  bench.defer(() => {
    for (const person of people) person.drop();
  });
  await inFlight(count, JOINING, async (index) => (people[index] as RoomWatcher).join());
  return people;
}

async function storm(
  bench: Bench,
  stack: Stack,
  people: RoomWatcher[],
  plan: Plan,
  messageId: string,
  cores: CoreWatch,
): Promise<Storm> {
  const gateway = stack.gateways[0];
  if (gateway === undefined) throw new Error('the stack has no gateway');
  for (const person of people) person.forget();
  for (const person of people.slice(0, plan.rooms)) person.ask('What is the engine power?', messageId);
  await until(HEARD_MS, 'everybody heard the beginning', () => {
    failOnFirst(people);
    return people.every(({ text }) => text.length >= HEARD * STAMP_CHARS);
  });
  const live = cpuOf(stack);
  await new Promise((resolve) => setTimeout(resolve, LIVE_MS));
  const liveCpu = live();

  bench.say('the gateway is killed');
  for (const person of people) person.expectLoss();
  const killed = performance.now();
  await gateway.kill();
  // The new process begins on the cores of this one.
  bench.cores.pin(process.pid, 'any');
  await gateway.restart();
  bench.cores.pin(process.pid, CORE.load);
  const restartSeconds = (performance.now() - killed) / 1_000;

  const stop = cores.start();
  const ready = monotonicMicros();
  const cpu = cpuOf(stack);
  const back = new Float64Array(people.length);
  await inFlight(people.length, OPENING, async (index) => {
    await (people[index] as RoomWatcher).resume();
    back[index] = monotonicMicros() - ready;
  });
  const used = cpu();
  stop();
  const result = distribution(back);
  bench.say(`all back after ${(result.max / 1e6).toFixed(2)} s`);

  const answerMs = (1_000 * plan.tokens) / plan.tokensPerSecond;
  await until(2 * answerMs + HEARD_MS, 'everybody has the end', () => {
    failOnFirst(people);
    return people.every(({ ends }) => ends > 0);
  });
  const whole = people.map(({ text }) => wholenessOf(text, plan.tokens));
  return {
    restartSeconds,
    back: result,
    cpu: used,
    liveCores: Object.fromEntries(
      Object.entries(liveCpu).map(([part, seconds]) => [part, (seconds * 1_000) / LIVE_MS]),
    ),
    lost: whole.reduce((sum, { lost }) => sum + lost, 0),
    doubled: whole.reduce((sum, { doubled }) => sum + doubled, 0),
    unrecovered: people.filter(({ recovered }) => recovered === false).length,
    wrongEnds: people.filter(({ ends }) => ends !== 1).length,
  };
}

/** CPU seconds of each part since this call, the runs that go on meanwhile included. */
function cpuOf(stack: Stack): () => Record<string, number> {
  const parts = {
    gateway: stack.gateways[0]?.pid as number,
    auth: stack.auth.pid,
    broker: stack.nats.pid,
    agent: stack.agents[0]?.pid as number,
    load: process.pid,
  };
  const before = Object.entries(parts).map(([name, pid]) => ({ name, pid, cpu: cpuSeconds(pid) }));
  return () => Object.fromEntries(before.map(({ name, pid, cpu }) => [name, cpuSeconds(pid) - cpu]));
}

function failOnFirst(people: RoomWatcher[]): void {
  const failed = people.find(({ failure }) => failure !== null);
  if (failed) throw new Error(`a connection failed: ${failed.failure}`);
}
