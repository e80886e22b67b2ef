import { randomUUID } from 'node:crypto';
import { AssistantMessage, conversationKey, isRunEnd, STREAMS, SUBJECTS, type Turn } from '@natter/proto';
import type { Bus } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Question } from '../../src/agents/answer.ts';
import {
  batchesOf,
  eventsToEnd,
  newTurn,
  startTestAgent,
  store,
  type TestAgent,
  textOf,
} from './agent-under-test.ts';
import { type Script, say, scripted } from './scripted-orchestrator.ts';

let nats: NatsServer;
const agents: TestAgent[] = [];

beforeAll(async () => {
  nats = await startNatsServer();
});

afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
});

afterAll(() => nats.stop());

async function start(orchestrator: Script): Promise<TestAgent> {
  const agent = await startTestAgent(nats.url, orchestrator);
  agents.push(agent);
  agent.intake.start();
  return agent;
}

/** As a gateway does. */
async function cancel(bus: Bus, turn: Turn, by = 'bob'): Promise<void> {
  const entry = { type: 'run.cancel_requested', run: turn.run, by, at: Date.now() };
  const options = { id: `cancel-${turn.run}`, timeoutMs: 20_000 };
  await bus.append(SUBJECTS.conversationLog(turn.conversation), JSON.stringify(entry), options);
}

async function recordOf(bus: Bus, turn: Turn): Promise<AssistantMessage> {
  const stored = await bus.stored.last(STREAMS.messages, SUBJECTS.runEnd(turn.conversation, turn.run));
  return AssistantMessage.parse(JSON.parse(Buffer.from(stored?.data ?? []).toString()));
}

const aborted = ({ signal }: Question) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

/** Says something about a question called `slow`, and then nothing more; answers the others. */
function slow(text: string): { script: Script; said: Promise<void> } {
  const said = Promise.withResolvers<void>();
  const script = scripted(async function* (question) {
    if (question.text !== 'slow') return yield* say(question, `re ${question.text}`);
    yield { type: 'step', step: 'generating' };
    yield { type: 'text', text };
    said.resolve();
    await aborted(question);
  });
  return { script, said: said.promise };
}

describe('a run that is cancelled', () => {
  it('stops at once and ends with exactly the text that was published, and the next turn is answered', async () => {
    const { script, said } = slow('The engine ');
    const agent = await start(script);
    const turn = newTurn('slow');
    const next = newTurn('next', turn.conversation);
    await store(agent.bus, turn);
    await said;
    await cancel(agent.bus, turn);
    // Twice is once.
    await cancel(agent.bus, turn, 'carol');
    const events = await eventsToEnd(agent.bus, turn);
    const end = { type: 'run.cancelled', text: 'The engine ', by: 'bob' };
    expect(events.filter(isRunEnd)).toEqual([end]);
    expect(events.at(-1)).toEqual(end);
    expect(textOf(events)).toBe('The engine ');
    expect(await recordOf(agent.bus, turn)).toMatchObject({
      status: 'cancelled',
      text: 'The engine ',
      by: 'bob',
    });
    await store(agent.bus, next);
    expect(textOf(await eventsToEnd(agent.bus, next))).toBe('re next');
    // What was cut off is part of the conversation.
    expect(script.asked.at(-1)?.history.map(({ text }) => text)).toEqual(['slow', 'The engine ']);
    expect(await agent.metrics.expose()).toMatch(
      /natter_agent_runs_total\{[^}]*outcome="cancelled"[^}]*\} 1/,
    );
  });

  it('publishes nothing of what a model says that does not listen', async () => {
    const said = Promise.withResolvers<void>();
    const agent = await start(
      scripted(async function* (question) {
        yield { type: 'text', text: 'before ' };
        said.resolve();
        await aborted(question).catch(() => undefined);
        yield { type: 'text', text: 'after' };
      }),
    );
    const turn = newTurn('x');
    await store(agent.bus, turn);
    await said.promise;
    await cancel(agent.bus, turn);
    const events = await eventsToEnd(agent.bus, turn);
    expect(textOf(events)).toBe('before ');
    expect(events.at(-1)).toMatchObject({ type: 'run.cancelled', text: 'before ' });
  });

  it('before it began ends without asking the model', async () => {
    const { script, said } = slow('working');
    const agent = await start(script);
    const conversation = conversationKey('alice', randomUUID());
    const [first, second] = [newTurn('slow', conversation), newTurn('waiting', conversation)];
    await store(agent.bus, first);
    await said;
    await store(agent.bus, second);
    await cancel(agent.bus, second);
    await cancel(agent.bus, first);
    const events = await eventsToEnd(agent.bus, second);
    expect(events.map(({ type }) => type)).toEqual(['run.started', 'run.cancelled']);
    expect(events.at(-1)).toEqual({ type: 'run.cancelled', text: '', by: 'bob' });
    expect(script.asked.map(({ text }) => text)).toEqual(['slow']);
  });

  it('while nobody is at work on it ends where its agent left it, without asking the model', async () => {
    const { script, said } = slow('The engine ');
    const gone = await start(script);
    const turn = newTurn('slow');
    await store(gone.bus, turn);
    await said;
    await expect
      .poll(async () => textOf((await batchesOf(gone.bus, turn)).flatMap(({ events }) => events)))
      .toBe('The engine ');
    await gone.intake.stop();
    await cancel(gone.bus, turn);
    const successor = scripted((question) => say(question, 'The engine delivers 110 kW.'));
    const agent = await start(successor);
    const events = await eventsToEnd(agent.bus, turn);
    expect(events.at(-1)).toEqual({ type: 'run.cancelled', text: 'The engine ', by: 'bob' });
    expect(textOf(events)).toBe('The engine ');
    expect(successor.asked).toEqual([]);
  });

  it('while the broker restarts ends all the same', async () => {
    const { script, said } = slow('The engine ');
    const agent = await start(script);
    const turn = newTurn('slow');
    await store(agent.bus, turn);
    await said;
    await nats.kill();
    const cancelling = cancel(agent.bus, turn);
    await nats.restart();
    await cancelling;
    const events = await eventsToEnd(agent.bus, turn);
    expect(events.filter(isRunEnd)).toEqual([{ type: 'run.cancelled', text: 'The engine ', by: 'bob' }]);
  });
});

describe('a run that has ended', () => {
  it('is not changed by being cancelled, also when it is asked once more', async () => {
    const script = scripted((question) => say(question, 'done'));
    const agent = await start(script);
    const turn = newTurn('x');
    await store(agent.bus, turn);
    const events = await eventsToEnd(agent.bus, turn);
    await cancel(agent.bus, turn);
    // As after the dedupe window: stored under another message id.
    await agent.bus.append(SUBJECTS.turn(turn.conversation), JSON.stringify(turn), { id: randomUUID() });
    const next = newTurn('next', turn.conversation);
    await store(agent.bus, next);
    await eventsToEnd(agent.bus, next);
    expect(await eventsToEnd(agent.bus, turn)).toEqual(events);
    expect(await recordOf(agent.bus, turn)).toMatchObject({ status: 'completed', text: 'done' });
  });
});
