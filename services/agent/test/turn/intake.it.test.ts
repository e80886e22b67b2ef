import { conversationKey, isRunEnd, type RunEvent, SUBJECTS } from '@natter/proto';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TurnRefused } from '../../src/agents/answer.ts';
import { eventsToEnd, newTurn, startTestAgent, store, type TestAgent, textOf } from './agent-under-test.ts';
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

const ends = (events: RunEvent[]) => events.filter(isRunEnd);

describe('a turn', () => {
  it('is answered with its steps in order, its text, and one end', async () => {
    const agent = await start(scripted((question) => say(question, `Answer to ${question.text}`)));
    const turn = newTurn('one');
    await store(agent.bus, turn);
    const events = await eventsToEnd(agent.bus, turn);
    const steps = events.flatMap((event) => (event.type === 'step.started' ? [event.step] : []));
    expect(steps).toEqual(['starting', 'agent_routing', 'rag_retrieval', 'generating']);
    expect(textOf(events)).toBe('Answer to one');
    expect(ends(events)).toHaveLength(1);
  });

  it('ends with one PROCESSING_ERROR when its answer fails, and the next turn is answered', async () => {
    const agent = await start(
      scripted(async function* (question) {
        if (question.text === 'bad') throw new Error('secret detail');
        yield* say(question, 'good');
      }),
    );
    const conversation = conversationKey('alice', 'failing');
    const bad = newTurn('bad', conversation);
    const good = newTurn('good', conversation);
    await store(agent.bus, bad);
    await store(agent.bus, good);
    const events = await eventsToEnd(agent.bus, bad);
    expect(ends(events)).toEqual([
      {
        type: 'run.failed',
        code: 'PROCESSING_ERROR',
        correlationId: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    ]);
    expect(JSON.stringify(events)).not.toContain('secret detail');
    expect(textOf(await eventsToEnd(agent.bus, good))).toBe('good');
  });

  it('begins with who asked, and tells the agent, the notes and the servers that are not used', async () => {
    const agent = await start(
      scripted(async function* (question) {
        yield { type: 'step', step: 'agent_routing' };
        yield { type: 'agent', agent: 'specs' };
        yield { type: 'note', text: 'x'.repeat(600) };
        yield* say(question, 'yes');
      }),
    );
    const refusedServers = [{ name: 'weather', reason: 'its url is no http url' }];
    const turn = { ...newTurn('one'), name: 'Alice', options: { refusedServers } };
    await store(agent.bus, turn);
    const events = await eventsToEnd(agent.bus, turn);
    const { messageId, text, askedAt } = turn;
    const types = ['run.started', 'step.started', 'run.noted', 'step.started', 'agent.chosen', 'run.noted'];
    expect(events.slice(0, 6).map(({ type }) => type)).toEqual(types);
    expect(events[0]).toEqual({ type: 'run.started', messageId, sub: 'alice', name: 'Alice', text, askedAt });
    expect(events[2]).toMatchObject({ text: expect.stringMatching(/weather.*its url is no http url/) });
    expect(events[4]).toEqual({ type: 'agent.chosen', agent: 'specs' });
    expect(events[5]).toEqual({ type: 'run.noted', text: 'x'.repeat(500) });
  });

  it('is in the log before its run is told of, whatever the broker takes longer for', async () => {
    const agent = await start(scripted((question) => say(question, 'yes')));
    const turn = newTurn('first in the log');
    const heard: string[] = [];
    agent.bus.subscribe(SUBJECTS.conversationOut(turn.conversation), ({ subject }) => {
      heard.push(subject.includes('.run.') ? 'run' : 'log');
    });
    await store(agent.bus, turn);
    await eventsToEnd(agent.bus, turn);
    expect(heard.filter((kind) => kind === 'log')).toHaveLength(1);
    expect(heard[0]).toBe('log');
  });

  it('says how long it took from the question to the end of the answer', async () => {
    const agent = await start(scripted((question) => say(question, 'yes')));
    const turn = { ...newTurn('one'), askedAt: Date.now() - 60_000 };
    await store(agent.bus, turn);
    const [end] = ends(await eventsToEnd(agent.bus, turn));
    expect(end?.type === 'run.completed' && end.metadata.responseMs).toBeGreaterThanOrEqual(60_000);
  });

  it('shows its answerer who asks, with what options', async () => {
    const script = scripted((question) => say(question, 'yes'));
    const agent = await start(script);
    const options = { model: 'big', temperature: 0.5 };
    const turn = { ...newTurn('one'), name: 'Alice', options };
    await store(agent.bus, turn);
    await eventsToEnd(agent.bus, turn);
    expect(script.asked[0]).toMatchObject({ sub: 'alice', name: 'Alice', options });
  });

  it.each(['MODEL_NOT_ALLOWED', 'UNKNOWN_PROVIDER'] as const)(
    'ends with %s when its answerer refuses it so',
    async (code) => {
      const agent = await start(
        scripted(() => {
          throw new TurnRefused(code, 'no such thing');
        }),
      );
      const turn = newTurn('one');
      await store(agent.bus, turn);
      expect(ends(await eventsToEnd(agent.bus, turn))).toMatchObject([{ type: 'run.failed', code }]);
    },
  );

  it('runs after the turns of its conversation before it, on any agent, and is shown their messages', async () => {
    const order: string[] = [];
    const script = () =>
      scripted(async function* (question) {
        order.push(`begin ${question.text}`);
        try {
          yield* say(question, `re ${question.text}`);
        } finally {
          order.push(`end ${question.text}`);
        }
      });
    const [first, second] = [script(), script()];
    const agent = await start(first);
    await start(second);
    const conversation = conversationKey('alice', 'ordered');
    const turns = Array.from({ length: 6 }, (_, index) => newTurn(`q${index}`, conversation));
    for (const turn of turns) await store(agent.bus, turn);
    for (const turn of turns) await eventsToEnd(agent.bus, turn);
    expect(order).toEqual(turns.flatMap(({ text }) => [`begin ${text}`, `end ${text}`]));
    const last = [...first.asked, ...second.asked].find(({ text }) => text === 'q5');
    expect(last?.history.map(({ text }) => text)).toEqual([
      'q0',
      're q0',
      'q1',
      're q1',
      'q2',
      're q2',
      'q3',
      're q3',
      'q4',
      're q4',
    ]);
  });

  it('does not wait for another conversation', async () => {
    const gate = Promise.withResolvers<void>();
    const agent = await start(
      scripted(async function* (question) {
        if (question.text === 'slow') await gate.promise;
        yield* say(question, question.text);
      }),
    );
    const slow = newTurn('slow');
    const quick = newTurn('quick');
    await store(agent.bus, slow);
    await store(agent.bus, quick);
    expect(textOf(await eventsToEnd(agent.bus, quick))).toBe('quick');
    gate.resolve();
    expect(textOf(await eventsToEnd(agent.bus, slow))).toBe('slow');
  });

  it('is continued by another agent when its own is stopped, without a word twice', async () => {
    const said = Promise.withResolvers<void>();
    const halted = await start(
      scripted(async function* (question) {
        yield { type: 'text', text: 'The engine ' };
        said.resolve();
        await new Promise((_, reject) =>
          question.signal.addEventListener('abort', () => reject(question.signal.reason)),
        );
      }),
    );
    const turn = newTurn('x');
    await store(halted.bus, turn);
    await said.promise;
    const successor = scripted((question) => say(question, 'The engine delivers 110 kW.'));
    const agent = await start(successor);
    await halted.intake.stop();
    const events = await eventsToEnd(agent.bus, turn);
    expect(textOf(events)).toBe('The engine delivers 110 kW.');
    expect(ends(events)).toHaveLength(1);
    // Only what reached the broker counts as said.
    expect('The engine '.startsWith(successor.asked[0]?.published.text ?? 'x')).toBe(true);
  });

  it('that has ended is not produced again when it is stored once more', async () => {
    const script = scripted((question) => say(question, 'once'));
    const agent = await start(script);
    const turn = newTurn('x');
    await store(agent.bus, turn);
    await eventsToEnd(agent.bus, turn);
    // As after the dedupe window: stored under another message id.
    await agent.bus.append(SUBJECTS.turn(turn.conversation), JSON.stringify(turn), { id: 'later' });
    const next = newTurn('next', turn.conversation);
    await store(agent.bus, next);
    await eventsToEnd(agent.bus, next);
    expect(script.asked.map(({ text }) => text)).toEqual(['x', 'next']);
    expect(ends(await eventsToEnd(agent.bus, turn))).toHaveLength(1);
  });

  it('survives the broker: runs under way end once, and nothing stored is lost', async () => {
    const gate = Promise.withResolvers<void>();
    const agent = await start(
      scripted(async function* (question) {
        yield { type: 'text', text: 'before ' };
        await gate.promise;
        yield { type: 'text', text: 'after' };
        yield* say({ ...question, published: { ...question.published, text: 'x' } }, 'x');
      }),
    );
    const turns = Array.from({ length: 5 }, (_, index) => newTurn(`q${index}`));
    for (const turn of turns) await store(agent.bus, turn);
    await nats.kill();
    await nats.restart();
    gate.resolve();
    for (const turn of turns) {
      const events = await eventsToEnd(agent.bus, turn);
      expect(ends(events)).toHaveLength(1);
      expect(ends(events)[0]).toMatchObject({ text: 'before after' });
    }
  });
});
