import { BUCKETS, conversationKey, isRunEnd, type RunEvent, STREAMS, SUBJECTS } from '@natter/proto';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventsToEnd, newTurn, startTestAgent, store, type TestAgent, textOf } from './agent-under-test.ts';
import { type Script, say, scripted } from './scripted-orchestrator.ts';

let nats: NatsServer;
const agents: TestAgent[] = [];

beforeEach(async () => {
  nats = await startNatsServer();
});

afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
  await nats.stop();
});

async function start(orchestrator: Script, concurrency?: number): Promise<TestAgent> {
  const agent = await startTestAgent(nats.url, orchestrator, concurrency);
  agents.push(agent);
  agent.intake.start();
  return agent;
}

const answering = () => scripted((question) => say(question, `re ${question.text}`));
const ends = (events: RunEvent[]) => events.filter(isRunEnd);

/** An agent that says where it is and then never goes on. */
function stuck(): { script: Script; begun: Promise<void> } {
  const begun = Promise.withResolvers<void>();
  const script = scripted(async function* ({ signal }) {
    yield { type: 'step', step: 'agent_routing' };
    begun.resolve();
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  return { script, begun: begun.promise };
}

describe('a conversation whose agent has died', () => {
  it('is taken over by the agent that gets its next turn, although that has a single slot', async () => {
    const { script, begun } = stuck();
    const dead = await start(script);
    const conversation = conversationKey('alice', 'a');
    const [first, second] = [newTurn('1', conversation), newTurn('2', conversation)];
    await store(dead.bus, first);
    await begun;
    const alive = await start(answering(), 1);
    await dead.bus.close();
    await store(alive.bus, second);
    const other = newTurn('3');
    await store(alive.bus, other);
    expect(textOf(await eventsToEnd(alive.bus, first))).toBe('re 1');
    expect(textOf(await eventsToEnd(alive.bus, second))).toBe('re 2');
    expect(textOf(await eventsToEnd(alive.bus, other))).toBe('re 3');
  });

  it('does not hold the slots of living agents while it waits', async () => {
    const gate = Promise.withResolvers<void>();
    const agent = await start(
      scripted(async function* (question) {
        if (question.text === 'slow') await gate.promise;
        yield* say(question, `re ${question.text}`);
      }),
      2,
    );
    const conversation = conversationKey('alice', 'a');
    const turns = ['slow', 'x', 'y', 'z'].map((text) => newTurn(text, conversation));
    for (const turn of turns) await store(agent.bus, turn);
    const other = newTurn('other');
    await store(agent.bus, other);
    expect(textOf(await eventsToEnd(agent.bus, other))).toBe('re other');
    gate.resolve();
    for (const turn of turns) expect(textOf(await eventsToEnd(agent.bus, turn))).toBe(`re ${turn.text}`);
  });
});

describe('a run', () => {
  it('that is handed back again and again is answered in the end', async () => {
    const turn = newTurn('x');
    for (let round = 0; round < 7; round += 1) {
      const { script, begun } = stuck();
      const agent = await start(script);
      if (round === 0) await store(agent.bus, turn);
      await begun;
      await agent.intake.stop();
    }
    const agent = await start(answering());
    expect(textOf(await eventsToEnd(agent.bus, turn))).toBe('re x');
  });

  it('whose agents died five times ends with an error, and the turn behind it is answered', async () => {
    const agent = await startTestAgent(nats.url, answering());
    agents.push(agent);
    const turn = newTurn('x');
    const seq = await store(agent.bus, turn);
    const runs = await agent.bus.bucket(BUCKETS.runs);
    const active = { seq, run: turn.run, owner: 'agent-dead', claim: 5, deaths: 4 };
    const epoch = await agent.bus.streamCreated(STREAMS.turns);
    await runs.create(turn.conversation, JSON.stringify({ epoch, doneSeq: 0, active, recent: [] }));
    const next = newTurn('next', turn.conversation);
    await store(agent.bus, next);
    agent.intake.start();
    expect(ends(await eventsToEnd(agent.bus, turn))).toMatchObject([
      { type: 'run.failed', code: 'PROCESSING_ERROR' },
    ]);
    expect(textOf(await eventsToEnd(agent.bus, next))).toBe('re next');
  });

  it('whose beginning the broker has forgotten ends with an error rather than two mixed answers', async () => {
    const agent = await startTestAgent(nats.url, answering());
    agents.push(agent);
    const turn = newTurn('x');
    const seq = await store(agent.bus, turn);
    const batch = { n: 7, claim: 1, events: [{ type: 'text.delta', at: 40, text: 'and so on' }] };
    await agent.bus.append(SUBJECTS.runEvents(turn.conversation, turn.run), JSON.stringify(batch), {
      expectLast: 0,
    });
    const runs = await agent.bus.bucket(BUCKETS.runs);
    const active = { seq, run: turn.run, owner: 'agent-dead', claim: 1, deaths: 0 };
    const epoch = await agent.bus.streamCreated(STREAMS.turns);
    await runs.create(turn.conversation, JSON.stringify({ epoch, doneSeq: 0, active, recent: [] }));
    agent.intake.start();
    expect(ends(await eventsToEnd(agent.bus, turn))).toMatchObject([{ type: 'run.failed' }]);
  });

  it('is answered although the registry tells of another life of the stream of turns', async () => {
    const agent = await start(answering());
    const turn = newTurn('x');
    const runs = await agent.bus.bucket(BUCKETS.runs);
    const stale = { epoch: 'before the broker lost its disk', doneSeq: 1_000, active: null, recent: [] };
    await runs.create(turn.conversation, JSON.stringify(stale));
    await store(agent.bus, turn);
    expect(textOf(await eventsToEnd(agent.bus, turn))).toBe('re x');
  });

  it('is answered although the registry holds nonsense about its conversation', async () => {
    const agent = await start(answering());
    const turn = newTurn('x');
    await (await agent.bus.bucket(BUCKETS.runs)).create(turn.conversation, '{"of":"another version"}');
    await store(agent.bus, turn);
    expect(textOf(await eventsToEnd(agent.bus, turn))).toBe('re x');
  });

  it('ends with an error when a batch of it can not be read by the agent that takes it over', async () => {
    const agent = await startTestAgent(nats.url, answering());
    agents.push(agent);
    const turn = newTurn('x');
    const seq = await store(agent.bus, turn);
    await agent.bus.append(SUBJECTS.runEvents(turn.conversation, turn.run), '{"of":"another version"}', {
      expectLast: 0,
    });
    const epoch = await agent.bus.streamCreated(STREAMS.turns);
    const active = { seq, run: turn.run, owner: 'agent-dead', claim: 1, deaths: 0 };
    const state = JSON.stringify({ epoch, doneSeq: 0, active, recent: [] });
    await (await agent.bus.bucket(BUCKETS.runs)).create(turn.conversation, state);
    agent.intake.start();
    const record = SUBJECTS.runEnd(turn.conversation, turn.run);
    const ending = async () => {
      const stored = await agent.bus.stored.last(STREAMS.messages, record);
      return stored === null ? null : JSON.parse(new TextDecoder().decode(stored.data)).status;
    };
    await expect.poll(ending, { timeout: 30_000 }).toBe('failed');
  });

  it('whose agent is not heard for a moment stays where it is when its next turn comes', async () => {
    const gate = Promise.withResolvers<void>();
    const slow = scripted(async function* (question) {
      await gate.promise;
      yield* say(question, `re ${question.text}`);
    });
    const first = await start(slow);
    const conversation = conversationKey('alice', 'stall');
    const [one, two] = [newTurn('1', conversation), newTurn('2', conversation)];
    await store(first.bus, one);
    await expect.poll(() => first.claims.size, { timeout: 20_000 }).toBe(1);
    const other = answering();
    const second = await start(other);
    // First deliveries say nothing about how long the agent at work has been silent.
    expect(await second.claims.next(conversation, Number.POSITIVE_INFINITY, false)).toBe('held');
    await store(first.bus, two);
    gate.resolve();
    expect(textOf(await eventsToEnd(first.bus, one))).toBe('re 1');
    expect(textOf(await eventsToEnd(first.bus, two))).toBe('re 2');
    expect(other.asked.map(({ text }) => text)).not.toContain('1');
  });

  it('that can not be read is passed over, and the turn behind it is answered', async () => {
    const agent = await start(answering());
    const turn = newTurn('good');
    await agent.bus.append(SUBJECTS.turn(turn.conversation), '{"of":"another version"}', { id: 'bad' });
    await store(agent.bus, turn);
    expect(textOf(await eventsToEnd(agent.bus, turn))).toBe('re good');
  });
});
