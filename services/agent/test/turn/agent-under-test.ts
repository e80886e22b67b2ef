/** One agent's turn machinery on a real broker, with a scripted orchestrator. */
import { randomUUID } from 'node:crypto';
import {
  BUCKETS,
  CONSUMERS,
  conversationKey,
  isRunEnd,
  type RunBatch,
  type RunEvent,
  STREAMS,
  SUBJECTS,
  type Turn,
} from '@natter/proto';
import { Bus, createLogger, isBusError, keepTopology, Metrics } from '@natter/runtime';
import { Transcripts } from '../../src/history/transcripts.ts';
import { registerAgentMetrics } from '../../src/metrics.ts';
import { Cancellations } from '../../src/turn/cancellations.ts';
import { Claims } from '../../src/turn/claims.ts';
import { Intake } from '../../src/turn/intake.ts';
import { PublishRounds } from '../../src/turn/publish-rounds.ts';
import { TurnRunner } from '../../src/turn/turn-runner.ts';
import type { Script } from './scripted-orchestrator.ts';

const log = createLogger('agent', 'silent');
const decoder = new TextDecoder();

export async function connectBus(url: string): Promise<Bus> {
  const bus = await Bus.connect({ url, name: 'test' }, log);
  await keepTopology(bus, { replicas: 1, transcriptDays: 1 }, log);
  return bus;
}

export interface TestAgent {
  name: string;
  bus: Bus;
  claims: Claims;
  runner: TurnRunner;
  intake: Intake;
  metrics: Metrics;
  stop(): Promise<void>;
}

/** Its own connection, as a process of its own would have. */
export async function startTestAgent(
  url: string,
  orchestrator: Script,
  concurrency = 64,
): Promise<TestAgent> {
  const bus = await connectBus(url);
  const name = `agent-${randomUUID()}`;
  const claims = new Claims(bus, await bus.bucket(BUCKETS.runs), name, log);
  const all = new Metrics('agent');
  const metrics = registerAgentMetrics(all, { runs: () => claims.size });
  const transcripts = new Transcripts(bus, log);
  const cancellations = new Cancellations(bus, log);
  const deps = { bus, claims, transcripts, cancellations, orchestrator, metrics, log };
  const runner = new TurnRunner({ ...deps, rounds: new PublishRounds(), now: Date.now });
  const intake = new Intake(bus, bus.puller(STREAMS.turns, CONSUMERS.agents), runner, { concurrency }, log);
  claims.answerHolders();
  return {
    name,
    bus,
    claims,
    runner,
    intake,
    metrics: all,
    async stop() {
      await intake.stop();
      await bus.close();
    },
  };
}

let runs = 0;

export function newTurn(text: string, conversation = conversationKey('alice', randomUUID())): Turn {
  runs += 1;
  const digits = [...String(runs)].map((digit) => 'abcdefghij'[Number(digit)]);
  const run = digits.join('').padStart(26, 'z');
  return { run, conversation, sub: 'alice', messageId: randomUUID(), text, customerId: null, askedAt: 1 };
}

export async function store(bus: Bus, turn: Turn): Promise<number> {
  return (await bus.append(SUBJECTS.turn(turn.conversation), JSON.stringify(turn), { id: turn.run })).seq;
}

export async function batchesOf(bus: Bus, turn: Turn): Promise<RunBatch[]> {
  const stored = await bus.stored.from(
    STREAMS.events,
    SUBJECTS.runEvents(turn.conversation, turn.run),
    1,
    10_000,
  );
  return stored.map(({ data }) => JSON.parse(decoder.decode(data)));
}

/** Resolves with all events of a run once it has ended; bears a broker that is away. */
export async function eventsToEnd(bus: Bus, turn: Turn): Promise<RunEvent[]> {
  for (;;) {
    const heard = Promise.withResolvers<void>();
    const subscription = bus.subscribe(SUBJECTS.conversationRunsOut(turn.conversation), () =>
      heard.resolve(),
    );
    // After a restart of the broker nobody says anything new about a run that has ended.
    const timer = setTimeout(heard.resolve, 500);
    const batches = await batchesOf(bus, turn).catch((error) => {
      if (isBusError(error, 'UNAVAILABLE')) return [];
      throw error;
    });
    const events = batches.flatMap((batch) => batch.events);
    const ended = events.some(isRunEnd);
    if (!ended) await heard.promise;
    clearTimeout(timer);
    subscription.close();
    if (ended) return events;
  }
}

export const textOf = (events: RunEvent[]): string =>
  events.map((event) => (event.type === 'text.delta' ? event.text : '')).join('');
