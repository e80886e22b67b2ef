/** What one broker, and one stream of it, can do: the units of docs/capacity.md. */
import { STREAMS, SUBJECTS } from '@natter/proto';
import { Bus, createLogger, ensureTopology } from '@natter/runtime';
import { startNatsServer } from '@natter/testkit';
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { inFlight } from '../load/in-flight.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { CORE } from '../measure/cores.ts';
import { medianInterval } from '../measure/interval.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import { settledMemory } from '../measure/settled.ts';

interface Plan {
  rounds: number;
  warmUp: number;
  /** Of a round. */
  messages: number;
  /** Of a round of appends that wait for the disk. */
  appends: number;
  /** Of a round of those that wait for each other as well. */
  single: number;
  /** Conversations that are watched in the end. */
  subscriptions: number;
}

const PLANS: Record<Size, Plan> = {
  tiny: { rounds: 2, warmUp: 0, messages: 100, appends: 50, single: 10, subscriptions: 1_000 },
  quick: { rounds: 6, warmUp: 1, messages: 2_000, appends: 300, single: 50, subscriptions: 20_000 },
  full: { rounds: 15, warmUp: 3, messages: 10_000, appends: 2_000, single: 400, subscriptions: 100_000 },
};
/** Requests that wait for the broker at once: as many as the services of a busy fleet have. */
const AT_ONCE = 64;
/** A batch with a token or two; most messages on the bus are that. */
const BATCH = JSON.stringify({
  n: 7,
  claim: 1,
  events: [{ type: 'text.delta', at: 96, text: 'x'.repeat(180) }],
});
/** An entry of a transcript: a question, or an answer of some sentences. */
const ENTRY = JSON.stringify({ text: 'x'.repeat(900) });
const CONVERSATIONS = 256;
const RUN = 'r'.repeat(26);
const RELAY = 'bench.relay';

interface Task {
  id: string;
  label: string;
  /** Row of how many a second there were, not how many a core second. */
  perSecond?: string;
  count: number;
  run(count: number): Promise<void>;
}

interface Prepared {
  pid: number;
  tasks: Task[];
  /** Watches so many conversations, numbered from `from`. */
  subscribe(count: number, from: number): Promise<void>;
}

interface Round {
  micros: number;
  perSecond: number;
}

export const broker: Figure = {
  name: 'broker',
  title: 'One broker, one stream',
  onlyByName: true,
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const cores = new CoreWatch();
    // A broker that has done nothing else has no free memory to put them in.
    const held = await holdSubscriptions(await prepare(bench, plan), plan.subscriptions);
    const { pid, tasks } = await prepare(bench, plan);
    const rounds = new Map<string, Round[]>(tasks.map(({ id }) => [id, []]));
    for (let index = -plan.warmUp; index < plan.rounds; index += 1)
      // There and back: what drifts meets all alike.
      for (const task of index % 2 === 0 ? tasks : tasks.toReversed()) {
        const stop = index < 0 ? undefined : cores.start();
        const [cpu, begin] = [cpuSeconds(pid), performance.now()];
        await task.run(task.count);
        const perSecond = (task.count * 1_000) / (performance.now() - begin);
        const micros = ((cpuSeconds(pid) - cpu) * 1e6) / task.count;
        stop?.();
        if (index >= 0) rounds.get(task.id)?.push({ micros, perSecond });
      }
    return {
      measurements: [...tasks.flatMap((task) => rows(task, rounds.get(task.id) as Round[])), ...held],
      cores: cores.use(),
      details: { plan, rounds: Object.fromEntries(rounds) },
    };
  },
};

async function prepare(bench: Bench, plan: Plan): Promise<Prepared> {
  const nats = await startNatsServer();
  bench.defer(() => nats.stop());
  bench.cores.pin(process.pid, CORE.load);
  bench.cores.pin(nats.pid, CORE.underTest);
  const log = createLogger('bench', 'error');
  const connect = () => Bus.connect({ url: nats.url, name: 'gateway', nkeyFile: null }, log);
  const [writer, reader] = [await connect(), await connect()];
  bench.defer(() => Promise.all([writer.close(), reader.close()]));
  await ensureTopology(writer, { replicas: 1, transcriptDays: 1 });
  const heard = new Heard();
  for (const subject of [RELAY, SUBJECTS.allEventsOut]) reader.subscribe(subject, () => heard.one());
  const conversation = (index: number) => `bench${index % CONVERSATIONS}`;
  const append = (subject: string, data: string) => writer.append(subject, data, { once: true });
  const entry = async (index: number) =>
    void (await append(SUBJECTS.conversationLog(conversation(index)), ENTRY));
  await inFlight(CONVERSATIONS, AT_ONCE, entry);
  // Four streams that are files; what a row of each holds is all the same here.
  const files = (index: number) =>
    [
      SUBJECTS.conversationLog(conversation(index)),
      `log.bench.info.line${index % CONVERSATIONS}`,
      `chunk.bench.${index % CONVERSATIONS}`,
      `$KV.runs.${conversation(index)}`,
    ][index % 4] as string;
  const event = async (index: number) =>
    void (await append(SUBJECTS.runEvents(conversation(index), RUN), BATCH));
  const read = async (index: number) => {
    const found = await writer.stored.last(STREAMS.messages, SUBJECTS.conversationLog(conversation(index)));
    if (found === null) throw new Error('an entry is not there');
  };
  const relay = async (count: number) => {
    for (let said = 0; said < count; said += AT_ONCE) {
      const all = heard.more(AT_ONCE);
      for (let index = 0; index < AT_ONCE; index += 1) writer.publish(RELAY, BATCH);
      await all;
    }
  };
  const tasks: Task[] = [
    {
      id: 'relay',
      label: `broker CPU for a message of ${BATCH.length} B to one service`,
      count: Math.ceil(plan.messages / AT_ONCE) * AT_ONCE,
      run: relay,
    },
    {
      id: 'event',
      label: 'the same, stored in EVENTS and republished',
      perSecond: `of it a second, ${AT_ONCE} in flight`,
      count: plan.messages,
      run: async (count) => {
        const all = heard.more(count);
        await inFlight(count, AT_ONCE, event);
        await all;
      },
    },
    {
      id: 'append',
      label: `broker CPU to store ${ENTRY.length} B in MESSAGES, on disk before the answer`,
      perSecond: `of it a second, ${AT_ONCE} in flight`,
      count: plan.appends,
      run: (count) => inFlight(count, AT_ONCE, entry),
    },
    {
      id: 'append-single',
      label: 'the same, one in flight',
      perSecond: 'of it a second',
      count: plan.single,
      run: (count) => inFlight(count, 1, entry),
    },
    {
      id: 'append-streams',
      label: 'the same into four streams at once',
      perSecond: `of it a second, ${AT_ONCE} in flight`,
      count: plan.appends,
      run: (count) => inFlight(count, AT_ONCE, async (index) => void (await append(files(index), ENTRY))),
    },
    {
      id: 'read',
      label: 'broker CPU to read one of them',
      count: plan.messages,
      run: (count) => inFlight(count, AT_ONCE, read),
    },
  ];
  const subscribe = async (count: number, from: number) => {
    for (let index = 0; index < count; index += 1)
      reader.subscribe(SUBJECTS.conversationOut(`bench${from + index}`), () => undefined);
    // The broker does what it is told in order: once this is answered it has them all.
    await reader.stored.last(STREAMS.messages, SUBJECTS.conversationLog(conversation(0)));
  };
  return { pid: nats.pid, tasks, subscribe };
}

/** What the broker needs for each conversation that a gateway watches. */
async function holdSubscriptions({ pid, subscribe }: Prepared, count: number): Promise<Measurement[]> {
  // The first ones make tables of the broker grow that are there for more.
  await subscribe(count / 10, 0);
  const before = await settledMemory(pid);
  const cpu = cpuSeconds(pid);
  await subscribe(count, count);
  const micros = ((cpuSeconds(pid) - cpu) * 1e6) / count;
  const after = await settledMemory(pid);
  return [
    { id: 'broker.subscribe', label: 'broker CPU to watch a conversation', value: micros, unit: 'µs' },
    {
      id: 'broker.subscription',
      label: `its memory for that, ${count} of them`,
      value: (after.rss - before.rss) / count,
      unit: 'B',
    },
  ];
}

function rows({ id, label, perSecond }: Task, rounds: readonly Round[]): Measurement[] {
  const cost = row(
    `broker.${id}`,
    label,
    'µs',
    rounds.map(({ micros }) => micros),
  );
  if (perSecond === undefined) return [cost];
  return [
    cost,
    row(
      `broker.${id}-rate`,
      perSecond,
      '/s',
      rounds.map((round) => round.perSecond),
    ),
  ];
}

function row(id: string, label: string, unit: string, values: readonly number[]): Measurement {
  const { median, ...interval } = medianInterval(values);
  return { id, label, value: median, unit, interval };
}

/** Counts what a subscriber has heard. */
class Heard {
  #missing = 0;
  #resolve = () => {};

  one(): void {
    this.#missing -= 1;
    if (this.#missing === 0) this.#resolve();
  }

  /** Resolves after so many more. */
  more(count: number): Promise<void> {
    this.#missing = count;
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
}
